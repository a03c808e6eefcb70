import { createContext, useContext, useEffect, useRef } from "react";

import type { Channel } from "@creavio/client/community/v1/channel";
import { Permission } from "@creavio/client/options/v1/permission";
import { pathOf, type Place } from "@/route";
import { useKnown } from "@/store/react";
import type { State } from "@/store/state";
import { useActions } from "@/ui/context";

/** Which room something stands in. */
export interface Where {
  /** The channel, conversation or thread. */
  readonly roomId: string;
  /** Empty for a conversation. */
  readonly communityId: string;
  /** The channel, of a thread that which it belongs to; empty for a conversation. */
  readonly channelId: string;
}

const Room = createContext<Where>({ roomId: "", communityId: "", channelId: "" });

export const WhereProvider = Room.Provider;

export function useWhere(): Where {
  return useContext(Room);
}

/** The channel with an id, of whichever community. */
export function channelOf(state: State, channelId: string): Channel | undefined {
  return Object.values(state.channels)
    .flat()
    .find((one) => one.id === channelId);
}

/** Where a room is, as far as it is known; a channel or thread that is not known is in no community. */
export function whereIs(state: State, roomId: string): Where {
  if (roomId.startsWith("cnv_")) return { roomId, communityId: "", channelId: "" };
  const channelId = state.threads[roomId]?.channelId ?? roomId;
  return { roomId, communityId: channelOf(state, channelId)?.communityId ?? "", channelId };
}

/** The address of a room. */
export function placeOfRoom({ roomId, communityId, channelId }: Where): Place {
  if (communityId === "") return { at: "direct", conversationId: roomId };
  return { at: "channel", communityId, channelId, ...(roomId === channelId ? {} : { threadId: roomId }) };
}

/** The address of a message, for anybody. */
export function linkTo(where: Where, messageId: string): string {
  return `${location.origin}${pathOf(placeOfRoom(where))}#${messageId}`;
}

/** Asks what one may do in a room: when it is entered, and when that may have changed. */
export function useAskedRights({ communityId, channelId }: Where): void {
  const actions = useActions();
  const unknown = useKnown((state) => state.permissions[channelId] === undefined);
  const entered = useRef("");
  useEffect(() => {
    // An override that hides nothing is told to nobody: who enters asks anew.
    if (!unknown && entered.current === channelId) return;
    entered.current = channelId;
    void actions.rights(communityId, channelId).catch(() => {});
  }, [actions, communityId, channelId, unknown]);
}

/** What one may do in a room, in this one where none is named; until that is known, what most may. */
export function useRights(room?: Where): (permission: Permission) => boolean {
  const here = useWhere();
  const { communityId, channelId } = room ?? here;
  const held = useKnown((state) => state.permissions[channelId]);
  if (communityId === "") return (permission) => permission !== Permission.MANAGE_MESSAGES && permission !== Permission.MENTION_EVERYONE;
  return (permission) => held?.has(permission) ?? usual.has(permission);
}

const usual = new Set([Permission.VIEW_CHANNEL, Permission.SEND_MESSAGES, Permission.ADD_REACTIONS]);
