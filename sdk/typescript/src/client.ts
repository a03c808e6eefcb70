import type { DescService } from "@bufbuild/protobuf";
import { createClient, type Client as ServiceClient, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

import { calling, outliving } from "./calls.js";
import { AccountService } from "./contracts/creavio/auth/v1/account_service_pb.js";
import type { Session } from "./contracts/creavio/auth/v1/session_pb.js";
import { SessionService } from "./contracts/creavio/auth/v1/session_service_pb.js";
import { Credentials } from "./credentials.js";
import { EventStream } from "./events.js";
import { Retries } from "./retrying.js";

export interface ClientOptions {
  /** The token of a program: used as it is. */
  readonly token?: string;
  /** The session it belongs to goes on. */
  readonly refreshToken?: string;
  /**
   * For a page of the platform's own origin: the browser keeps the refresh token in a
   * cookie that no script reads, and a session of before goes on by itself.
   */
  readonly cookie?: boolean;
  readonly retries?: Retries;
  /** Told every new session: keep its refresh token, the one before is spent. */
  readonly onSession?: (session: Session) => void;
  /** How to reach the platform, when not by fetch. */
  readonly fetch?: typeof globalThis.fetch;
}

/** Calls a platform, for whoever signs in or for whom the token stands. */
export class Client {
  readonly #transport: Transport;
  readonly #credentials: Credentials;

  /** `url` is the platform's, such as `https://example.org`. */
  constructor(url: string, options: ClientOptions = {}) {
    this.#credentials = new Credentials(
      options.token ?? "",
      options.refreshToken ?? "",
      (refreshToken) => this.service(SessionService).refreshSession({ refreshToken }),
      options.onSession ?? (() => {}),
      options.cookie ?? false,
    );
    const fetch = options.cookie === true ? outliving(options.fetch ?? globalThis.fetch) : options.fetch;
    this.#transport = createGrpcWebTransport({
      baseUrl: url,
      defaultTimeoutMs: 15_000,
      interceptors: [
        calling(
          (refused) => this.#credentials.token(refused),
          options.retries ?? new Retries(),
          options.cookie ?? false,
        ),
      ],
      ...(fetch === undefined ? {} : { fetch }),
    });
  }

  /** Who is signed in, by this client. */
  get session(): Session | undefined {
    return this.#credentials.session;
  }

  /** A service of the platform: `client.service(MessageService)`. */
  service<S extends DescService>(description: S): ServiceClient<S> {
    return createClient(description, this.#transport);
  }

  /** Creates an account, and calls for it from now on. */
  async signUp(handle: string, email: string, password: string, displayName = ""): Promise<Session> {
    const request = { handle, email, password, displayName };
    return this.hold(await this.service(AccountService).createAccount(request));
  }

  /**
   * Calls for this person from now on. Of an account with a second factor, what is
   * returned has a `challengeToken` and nobody is signed in yet: `complete` it.
   */
  async signIn(login: string, password: string): Promise<Session> {
    return this.hold(await this.service(SessionService).createSession({ login, password }));
  }

  /** Completes a sign-in with a code of the second factor, and calls for that person. */
  async complete(challengeToken: string, code: string): Promise<Session> {
    return this.hold(await this.service(SessionService).completeSession({ challengeToken, code }));
  }

  /** Ends the session: its tokens are refused from now on. */
  async signOut(): Promise<void> {
    await this.service(SessionService).revokeSession({ sessionId: "current" });
    this.#credentials.forget();
  }

  /** What happens from now on, or from where the token was given, until the signal. */
  events(resumeToken = "", signal?: AbortSignal): EventStream {
    // What all events look like is much, and a page that hears none does not need it.
    const gateway = async () => {
      const { GatewayService } = await import("./contracts/creavio/gateway/v1/gateway_service_pb.js");
      return this.service(GatewayService);
    };
    return new EventStream(gateway, resumeToken, signal);
  }

  /** The token of whoever is signed in, renewed when it is about to expire; empty for nobody. */
  async token(): Promise<string> {
    return await this.#credentials.token();
  }

  /** Calls from now on for whom a session was begun by other ways than these. */
  hold(session: Session): Session {
    this.#credentials.hold(session);
    return session;
  }
}
