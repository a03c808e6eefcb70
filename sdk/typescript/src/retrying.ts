import { type CallError, mayPass } from "./errors.js";

export interface RetryOptions {
  readonly attempts?: number;
  /** Seconds before the second attempt, at most; doubled each time. */
  readonly first?: number;
  readonly longest?: number;
  readonly budget?: number;
  readonly random?: () => number;
}

const longestWait = 30;

/**
 * How often, how soon, and for how long in bad times calls are sent again.
 *
 * Each failure takes a token and each success gives a tenth back; below half of them
 * nothing is sent again (as gRPC's own retry throttling, gRFC A6).
 */
export class Retries {
  readonly #options: Required<RetryOptions>;
  #tokens: number;

  constructor(options: RetryOptions = {}) {
    this.#options = { attempts: 4, first: 0.1, longest: 3, budget: 10, random: Math.random, ...options };
    this.#tokens = this.#options.budget;
  }

  /** Notes that a call was answered. */
  succeeded(): void {
    this.#tokens = Math.min(this.#options.budget, this.#tokens + 0.1);
  }

  /**
   * Notes that the given attempt (from 1) failed. Seconds to wait before the next;
   * `undefined` when there should be none.
   */
  pause(attempt: number, error: CallError): number | undefined {
    if (!mayPass(error)) return undefined;
    const { attempts, budget, random } = this.#options;
    this.#tokens = Math.max(0, this.#tokens - 1);
    if (attempt >= attempts || this.#tokens <= budget / 2) return undefined;
    if (error.retryAfter === undefined) return this.jittered(attempt);
    // A little later than asked, so that not all come back at once.
    const wait = error.retryAfter * (1 + random() / 10);
    return wait <= longestWait ? wait : undefined;
  }

  /** A random pause after the given attempt, in seconds (full jitter). */
  jittered(attempt: number): number {
    const { first, longest, random } = this.#options;
    return random() * Math.min(longest, first * 2 ** Math.min(attempt - 1, 16));
  }
}

/** Resolves after some seconds; rejects when the signal says so. */
export function sleep(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
