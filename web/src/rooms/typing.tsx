import { type ReactNode, useEffect, useState } from "react";

import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";
import { useSay } from "./texts";

/** Who is writing. */
export function Typing({ roomId }: { readonly roomId: string }): ReactNode {
  const say = useSay();
  const typing = useKnown((state) => state.typing[roomId]);
  const users = useKnown((state) => state.users);
  const [now, setNow] = useState(Date.now);
  const entries = Object.entries(typing ?? {});
  const writing = entries.filter(([, until]) => until > now).map(([id]) => nameOf(users[id]));
  useEffect(() => {
    setNow(Date.now());
    if (entries.length === 0) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [typing]);
  const [a = "", b = ""] = writing;
  const text =
    writing.length === 0
      ? ""
      : writing.length === 1
        ? say("typing.one", { a })
        : writing.length === 2
          ? say("typing.two", { a, b })
          : say("typing.many");
  return (
    <p aria-live="polite" className="min-h-5.5 truncate px-3.5 text-12 text-muted mid:px-5">
      {text}
    </p>
  );
}
