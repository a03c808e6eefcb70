import { Code } from "@connectrpc/connect";
import { CallError } from "@creavio/client";

/** Does something that may be done twice, until the platform is there to answer. */
export async function lasting<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (thrown) {
      const away = thrown instanceof CallError && (thrown.code === Code.Unavailable || thrown.code === Code.DeadlineExceeded);
      if (!away) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}
