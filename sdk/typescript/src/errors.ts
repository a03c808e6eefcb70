import { Code, ConnectError } from "@connectrpc/connect";

import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./contracts/google/rpc/error_details_pb.js";

/** A call was refused, or its answer never came; `code` says which. */
export class CallError extends ConnectError {
  constructor(
    message: string,
    code: Code,
    /** A name of `creavio.errors.v1.Reason` without its prefix; empty when there is none. */
    readonly reason: string,
    /** What is wrong with which field of the request. */
    readonly fields: Readonly<Record<string, string>> = {},
    /** Seconds after which it may be tried again, where the platform says so. */
    readonly retryAfter: number | undefined = undefined,
    cause: unknown = undefined,
  ) {
    super(message, code, undefined, undefined, cause);
  }

  /** ConnectError's own test takes every ConnectError for one of these. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof ConnectError && "reason" in value && "fields" in value;
  }
}

/** Whether the answer never came or it was too early: what may pass. */
export function mayPass(error: CallError): boolean {
  return [Code.Unavailable, Code.DeadlineExceeded, Code.ResourceExhausted].includes(error.code);
}

/** What went wrong with a call, in the words of the contracts. */
export function translated(thrown: unknown): CallError {
  if (thrown instanceof CallError) return thrown;
  const error = ConnectError.from(thrown);
  const info = error.findDetails(ErrorInfoSchema)[0];
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const fields: Record<string, string> = {};
  for (const bad of error.findDetails(BadRequestSchema)) {
    for (const violation of bad.fieldViolations) fields[violation.field] = violation.description;
  }
  // A server that is killed is a broken connection to fetch, which has no code for it.
  const broken = error.code === Code.Unknown && info === undefined;
  return new CallError(
    error.rawMessage,
    broken ? Code.Unavailable : error.code,
    info?.reason ?? (broken ? "UNAVAILABLE" : ""),
    fields,
    delay === undefined ? undefined : Math.max(0, Number(delay.seconds) + delay.nanos / 1e9),
    thrown,
  );
}
