import { type ErrorCode, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";

/** A value of a file: a text, a list or a mapping, and the line it begins on. */
export type Value =
  | { readonly is: "text"; readonly line: number; readonly text: string }
  | { readonly is: "list"; readonly line: number; readonly items: readonly Value[] }
  | { readonly is: "map"; readonly line: number; readonly entries: readonly Entry[] };

export interface Entry {
  readonly key: string;
  readonly line: number;
  readonly value: Value;
}

export type Why = "file.tab" | "file.twice" | "file.open" | "file.kind" | "file.depth" | "file.other";

/** What is wrong with a file, and on which line. */
export class Unreadable extends Error {
  constructor(
    readonly line: number,
    readonly why: Why,
  ) {
    super(`line ${line}: ${why}`);
  }
}

const whys: Partial<Record<ErrorCode, Why>> = {
  BAD_INDENT: "file.depth",
  DUPLICATE_KEY: "file.twice",
  MISSING_CHAR: "file.open",
  TAB_AS_INDENT: "file.tab",
};

/**
 * Reads the YAML that policy files are written in: every value that is no list and no
 * mapping is a text. Aliases are refused, as a short file can stand for a huge one by
 * them. Throws `Unreadable`.
 */
export function read(text: string): Value {
  const lines = new LineCounter();
  const file = parseDocument(text, { lineCounter: lines, schema: "failsafe", prettyErrors: false });
  const [wrong] = file.errors;
  if (wrong !== undefined) throw new Unreadable(lines.linePos(wrong.pos[0]).line, whys[wrong.code] ?? "file.other");
  return valueOf(file.contents, 1, lines);
}

function valueOf(node: Node | null | undefined, before: number, lines: LineCounter): Value {
  const line = node?.range ? lines.linePos(node.range[0]).line : before;
  if (isAlias(node)) throw new Unreadable(line, "file.kind");
  if (isSeq<Node | null>(node)) return { is: "list", line, items: node.items.map((item) => valueOf(item, line, lines)) };
  if (isMap<Node, Node | null>(node)) {
    const entries = node.items.map(({ key, value }) => {
      const named = valueOf(key, line, lines);
      if (named.is !== "text") throw new Unreadable(named.line, "file.kind");
      return { key: named.text, line: named.line, value: valueOf(value, named.line, lines) };
    });
    return { is: "map", line, entries };
  }
  return { is: "text", line, text: isScalar(node) ? String(node.value ?? "") : "" };
}
