import { Code } from "@connectrpc/connect";
import { CallError } from "@creavio/client";
import type { Session as Begun } from "@creavio/client/auth/v1/session";

import type { DoorApi } from "@/api/door";

import { empty } from "./state";
import { change } from "./store";

/** Who is signed in: coming in, and going out. */
export class Session {
  constructor(readonly api: DoorApi) {}

  /** Goes on with the session the browser keeps, if there is one. */
  async start(): Promise<void> {
    try {
      const token = await this.api.client.token();
      const { session } = this.api.client;
      if (token === "" || session === undefined) this.over();
      else await this.begin(session);
    } catch (thrown) {
      if (!(thrown instanceof CallError) || thrown.code !== Code.Unauthenticated) throw thrown;
      this.over();
    }
  }

  /** Signs in. Returns a challenge when a second factor is wanted, else "". */
  async signIn(login: string, password: string): Promise<string> {
    return await this.begin(await this.api.client.signIn(login, password));
  }

  async complete(challenge: string, code: string): Promise<void> {
    await this.begin(await this.api.client.complete(challenge, code));
  }

  async signUp(wanted: {
    handle: string;
    displayName: string;
    email: string;
    password: string;
    signUpCode: string;
  }): Promise<void> {
    await this.begin(this.api.client.hold(await this.api.accounts.createAccount(wanted)));
  }

  /** Goes on with a session that was begun in another way. Returns what `signIn` does. */
  async beginWith(session: Begun): Promise<string> {
    return await this.begin(this.api.client.hold(session));
  }

  async signOut(): Promise<void> {
    await this.api.client.signOut();
    this.over();
  }

  /** Nobody is signed in any more. */
  over(): void {
    change(() => ({ ...empty, phase: "outside" }));
  }

  /** Steps inside with a session. Returns its challenge when a second factor is wanted, else "". */
  async begin(session: Begun): Promise<string> {
    if (session.challengeToken !== "") return session.challengeToken;
    change(() => ({ ...empty, phase: "inside", me: session.user, users: session.user === undefined ? {} : { [session.user.id]: session.user } }));
    return "";
  }
}
