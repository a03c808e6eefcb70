import { MessageSquareQuote } from "lucide-react";
import { type ReactNode, useEffect, useMemo } from "react";
import { useShallow } from "zustand/react/shallow";

import { go, pathOf, type Place } from "@/route";
import { nameOf } from "@/store/names";
import { useKnown } from "@/store/react";
import type { State } from "@/store/state";
import { isPlain, Markdown, type References } from "@/text/markdown";
import { useActions } from "@/ui/context";
import { classes } from "@/ui/parts";

import { placeOfRoom, whereIs } from "./where";

const chip = "rounded-small px-1 font-medium";

interface SaidProps {
  readonly text: string;
  readonly communityId: string;
}

/** What somebody wrote, with what it refers to. */
export function Said(props: SaidProps): ReactNode {
  return isPlain(props.text) ? <p>{props.text}</p> : <Marked {...props} />;
}

function Marked({ text, communityId }: SaidProps): ReactNode {
  return <Markdown text={text} to={useReferences(communityId, text)} />;
}

const nobody: State["users"] = {};

/** What the references of a text look like to who reads it. */
function useReferences(communityId: string, content: string): References {
  const actions = useActions();
  // Who gets to know somebody draws nothing anew that refers to nobody.
  const refers = content.includes("<");
  const users = useKnown((state) => (refers ? state.users : nobody));
  const channels = useKnown((state) => (refers ? state.channels[communityId] : undefined));
  const roles = useKnown((state) => (refers ? state.roles[communityId] : undefined));
  const meId = useKnown((state) => state.me?.id);
  useEffect(() => actions.preview(content), [actions, content]);
  return useMemo(
    () => ({
      person: (id) => {
        const user = users[id];
        if (user === undefined) return undefined;
        return <span className={classes(chip, id === meId ? "bg-mention text-on-mention" : "bg-accent-soft text-accent-text")}>@{nameOf(user)}</span>;
      },
      channel: (id) => {
        const channel = channels?.find((one) => one.id === id);
        if (channel === undefined) return undefined;
        return <To place={{ at: "channel", communityId, channelId: id }}>#{channel.name}</To>;
      },
      role: (id) => {
        const role = roles?.find((one) => one.id === id);
        return role === undefined ? undefined : <span className={classes(chip, "bg-accent-soft text-accent-text")}>@{role.name}</span>;
      },
      message: (roomId, messageId) => <Pointer roomId={roomId} messageId={messageId} />,
    }),
    [users, channels, roles, meId, communityId],
  );
}

function To({ place, messageId = "", children }: { readonly place: Place; readonly messageId?: string; readonly children: ReactNode }): ReactNode {
  return (
    <a
      href={pathOf(place) + (messageId === "" ? "" : `#${messageId}`)}
      className={classes(chip, "bg-accent-soft text-accent-text")}
      onClick={(event) => {
        event.preventDefault();
        go(place, "push", messageId);
      }}
    >
      {children}
    </a>
  );
}

/** A message somebody points to: how it begins, for whom may read it. */
function Pointer({ roomId, messageId }: { readonly roomId: string; readonly messageId: string }): ReactNode {
  const preview = useKnown((state) => state.previews[`${roomId}/${messageId}`]);
  const author = useKnown((state) => state.users[preview?.authorId ?? ""]);
  const { communityId, channelId } = useKnown(useShallow((state) => whereIs(state, roomId)));
  const there = roomId.startsWith("cnv_") || communityId !== "";
  if (preview === undefined || !there) return <MessageSquareQuote size={16} className="inline align-[-3px] text-faint" role="img" aria-label="…" />;
  return (
    <To place={placeOfRoom({ roomId, communityId, channelId })} messageId={messageId}>
      <MessageSquareQuote size={14} aria-hidden className="inline align-[-2px]" /> {nameOf(author)}: <span dir="auto">{preview.excerpt}</span>
    </To>
  );
}
