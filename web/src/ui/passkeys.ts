import { Code } from "@connectrpc/connect";
import { CallError } from "@creavio/client";

/** Whether this browser keeps passkeys. */
export function passkeysWork(): boolean {
  return typeof PublicKeyCredential !== "undefined" && "parseRequestOptionsFromJSON" in PublicKeyCredential;
}

/**
 * Has the browser make a passkey; its answer as the contract wants it.
 * Raises PASSKEY_NOT_USED when the person or the device does not want to, and
 * PASSKEY_KNOWN when the device has one of this account already.
 */
export async function makePasskey(options: string): Promise<string> {
  return await answered((json) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(json as PublicKeyCredentialCreationOptionsJSON);
    return navigator.credentials.create({ publicKey });
  }, options);
}

/** Has the browser use a passkey; its answer as the contract wants it. Raises PASSKEY_NOT_USED. */
export async function askPasskey(options: string): Promise<string> {
  return await answered((json) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(json as PublicKeyCredentialRequestOptionsJSON);
    return navigator.credentials.get({ publicKey });
  }, options);
}

async function answered(ask: (json: unknown) => Promise<Credential | null>, options: string): Promise<string> {
  try {
    const credential = await ask(JSON.parse(options));
    if (credential !== null) return JSON.stringify(credential);
  } catch (thrown) {
    if (!(thrown instanceof DOMException)) throw thrown;
    if (thrown.name === "InvalidStateError") throw new CallError(thrown.message, Code.AlreadyExists, "PASSKEY_KNOWN");
  }
  throw new CallError("no passkey was used", Code.Aborted, "PASSKEY_NOT_USED");
}
