import { type ReactNode, useEffect, useState } from "react";

// Longer ones are shown as they are: telling their parts apart would hold the page up.
const longest = 20_000;

/** A block of code; its parts are told apart once what does so is loaded. */
export function Code({ code, language }: { readonly code: string; readonly language: string }): ReactNode {
  const [shown, setShown] = useState<ReactNode>();
  useEffect(() => {
    let over = false;
    if (language !== "" && code.length <= longest) {
      void import("./highlight").then(({ highlighted }) => over || setShown(highlighted(code, language)));
    }
    return () => {
      over = true;
    };
  }, [code, language]);
  return (
    <pre
      tabIndex={0}
      dir="ltr"
      className="my-1 overflow-x-auto rounded-control bg-sunken px-3 py-2 font-mono text-13 shadow-[inset_0_0_0_1px_var(--line)]"
    >
      <code>{shown ?? code}</code>
    </pre>
  );
}
