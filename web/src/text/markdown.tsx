import type { PhrasingContent, Root, RootContent } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmStrikethroughFromMarkdown } from "mdast-util-gfm-strikethrough";
import { gfmStrikethrough } from "micromark-extension-gfm-strikethrough";
import { Fragment, memo, type ReactNode } from "react";

import { Code } from "./code";

/** How a reference in a message is shown; undefined leaves what was written. */
export interface References {
  person(id: string): ReactNode | undefined;
  channel(id: string): ReactNode | undefined;
  role(id: string): ReactNode | undefined;
  message(roomId: string, messageId: string): ReactNode | undefined;
}

const safe = /^(https?:|mailto:)/i;
const references = /<(@&?|#)([a-z]+_[0-9a-z]{26})(?:\/(msg_[0-9a-z]{26}))?>|https?:\/\/[^\s<>]+[^\s<>.,:;!?)'"\]]/gi;

// Begins with nothing that opens a block, and has nothing in it that marks anything.
const plain = /^[\p{L}\p{Emoji_Presentation}("'“„«¿¡][\p{L}\p{M}\p{N}\p{Emoji_Presentation} .,;?!'"“”„’«»…()%€$/–—-]*(?<! )$/u;

/** Whether a text is one line of nothing but words: most are, and need no parser, which is dear. */
export function isPlain(text: string): boolean {
  return plain.test(text);
}

export function parse(text: string): Root {
  return fromMarkdown(text, {
    extensions: [
      gfmStrikethrough(),
      // Raw HTML and images are text, a reference is no autolink, and four spaces are no code.
      { disable: { null: ["htmlFlow", "htmlText", "labelStartImage", "autolink", "definition", "codeIndented"] } },
    ],
    mdastExtensions: [gfmStrikethroughFromMarkdown()],
  });
}

/** A message as it was meant: a safe tree, made of nothing but what is named here. */
export const Markdown = memo(function Markdown({ text, to }: { readonly text: string; readonly to: References }): ReactNode {
  return isPlain(text) ? <p>{text}</p> : <>{blocks(parse(text).children, to)}</>;
});

function blocks(nodes: readonly RootContent[], to: References): ReactNode {
  return nodes.map((node, at) => <Fragment key={at}>{block(node, to)}</Fragment>);
}

function block(node: RootContent, to: References): ReactNode {
  switch (node.type) {
    case "paragraph":
      return <p>{phrases(node.children, to)}</p>;
    case "heading":
      return <p className="font-display text-17 font-semibold">{phrases(node.children, to)}</p>;
    case "blockquote":
      return <blockquote className="border-s-2 border-line-strong ps-3 text-muted">{blocks(node.children, to)}</blockquote>;
    case "list": {
      const items = node.children.map((item, at) => <li key={at}>{blocks(item.children, to)}</li>);
      return node.ordered === true ? (
        <ol className="list-decimal ps-6" start={node.start ?? 1}>{items}</ol>
      ) : (
        <ul className="list-disc ps-6">{items}</ul>
      );
    }
    case "code":
      return <Code code={node.value} language={node.lang?.toLowerCase() ?? ""} />;
    case "thematicBreak":
      return <hr className="my-2 border-line" />;
    default:
      return "value" in node ? <p>{node.value}</p> : null;
  }
}

function phrases(nodes: readonly PhrasingContent[], to: References): ReactNode {
  return nodes.map((node, at) => <Fragment key={at}>{phrase(node, to)}</Fragment>);
}

function phrase(node: PhrasingContent, to: References): ReactNode {
  switch (node.type) {
    case "text":
      return referenced(node.value, to);
    case "strong":
      return <strong className="font-semibold">{phrases(node.children, to)}</strong>;
    case "emphasis":
      return <em>{phrases(node.children, to)}</em>;
    case "delete":
      return <del>{phrases(node.children, to)}</del>;
    case "inlineCode":
      return (
        <code className="rounded-small bg-sunken px-1 py-px font-mono text-[0.9em] shadow-[inset_0_0_0_1px_var(--line)]">
          {node.value}
        </code>
      );
    case "break":
      return <br />;
    case "link":
      return safe.test(node.url) ? <Link url={node.url}>{phrases(node.children, to)}</Link> : phrases(node.children, to);
    default:
      return "value" in node ? node.value : null;
  }
}

function referenced(text: string, to: References): ReactNode {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const match of text.matchAll(references)) {
    const [whole, sign, id, messageId] = match;
    const shown =
      sign === undefined || id === undefined ? (
        <Link url={whole}>{whole}</Link>
      ) : (
        resolved(sign, id, messageId, to)
      );
    if (shown === undefined) continue;
    parts.push(...lines(text.slice(at, match.index), at), <Fragment key={match.index}>{shown}</Fragment>);
    at = match.index + whole.length;
  }
  return [...parts, ...lines(text.slice(at), at)];
}

function resolved(sign: string, id: string, messageId: string | undefined, to: References): ReactNode | undefined {
  if (messageId !== undefined) return to.message(id, messageId);
  if (sign === "#") return to.channel(id);
  return sign === "@" ? to.person(id) : to.role(id);
}

/** People press Enter and mean it. */
function lines(text: string, key: number): ReactNode[] {
  return text.split("\n").flatMap((line, at) => (at === 0 ? [line] : [<br key={`${key}-${at}`} />, line]));
}

function Link({ url, children }: { readonly url: string; readonly children: ReactNode }): ReactNode {
  return (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow" className="text-accent-text underline underline-offset-3">
      {children}
    </a>
  );
}
