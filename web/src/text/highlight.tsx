import { common, createLowlight } from "lowlight";
import { Fragment, type ReactNode } from "react";

type Tree = ReturnType<ReturnType<typeof createLowlight>["highlight"]>;
type Node = Tree["children"][number];

const lowlight = createLowlight(common);

/** Code with its parts told apart; undefined for a language that is not known. */
export function highlighted(code: string, language: string): ReactNode | undefined {
  if (!lowlight.registered(language)) return undefined;
  return nodes(lowlight.highlight(language, code).children);
}

function nodes(children: readonly Node[]): ReactNode {
  return children.map((node, at) => <Fragment key={at}>{shown(node)}</Fragment>);
}

function shown(node: Node): ReactNode {
  if (node.type === "text") return node.value;
  if (node.type !== "element") return null;
  const names = node.properties["className"];
  return <span className={Array.isArray(names) ? names.join(" ") : ""}>{nodes(node.children)}</span>;
}
