import { timestampDate } from "@bufbuild/protobuf/wkt";

import type { Session } from "./contracts/creavio/auth/v1/session_pb.js";

const before = 30_000;

/** Whom calls are made for: a session that renews itself, or a token. */
export class Credentials {
  session: Session | undefined;
  #token: string;
  #refreshToken: string;
  #expires = Number.POSITIVE_INFINITY;
  #refreshing: Promise<void> | undefined;
  /** Whether the browser may hold a refresh token. */
  #kept: boolean;

  constructor(
    token: string,
    refreshToken: string,
    private readonly refresh: (refreshToken: string) => Promise<Session>,
    private readonly onSession: (session: Session) => void,
    /** Whether the browser keeps refresh tokens, and this sees none. */
    private readonly cookie = false,
  ) {
    this.#token = token;
    this.#refreshToken = refreshToken;
    this.#kept = cookie;
  }

  /** Calls for this session from now on, if it is one and not a challenge. */
  hold(session: Session): void {
    if (session.accessToken === "") return;
    this.session = session;
    this.#token = session.accessToken;
    this.#refreshToken = session.refreshToken;
    this.#kept = this.cookie;
    this.#expires =
      session.expireTime === undefined
        ? Number.POSITIVE_INFINITY
        : timestampDate(session.expireTime).getTime();
    this.onSession(session);
  }

  /** Calls for nobody from now on. */
  forget(): void {
    this.session = undefined;
    this.#token = this.#refreshToken = "";
    this.#kept = false;
  }

  /**
   * The token to call with, renewed when it is about to expire or was refused: however
   * many ask at once, by one call. Empty for nobody.
   */
  async token(refused = ""): Promise<string> {
    const fresh =
      this.#token !== "" && this.#token !== refused && Date.now() < this.#expires - before;
    if (!fresh && (this.#refreshToken !== "" || this.#kept)) {
      this.#refreshing ??= this.refresh(this.#refreshToken)
        .then((session) => this.hold(session))
        .finally(() => {
          this.#refreshing = undefined;
        });
      await this.#refreshing;
    }
    return this.#token;
  }
}
