import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Forward as ForwardSign } from "lucide-react";
import { type ReactNode, useState } from "react";

import type { Forward, Message } from "@creavio/client/chat/v1/message";
import { whole } from "@/ui/dates";
import { useMutation } from "@/ui/mutation";
import { Button, Dialog, Field, Wrong } from "@/ui/parts";

import { Said } from "./references";
import { Chooser, type Target } from "./switcher";
import { useSay } from "./texts";
import { useDoing } from "./use-doing";
import { useWhere } from "./where";
import { asWritten } from "./written";

const rooms = ["room"] as const;

/** Sends a message on: first where to, then what to say beside it. */
export function SendOn({ message, onDone }: { readonly message: Message; readonly onDone: () => void }): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const [to, setTo] = useState<Target>();
  const [content, setContent] = useState("");
  const send = useMutation(async () => {
    if (to === undefined) return;
    await doing.forward(message, to.key, asWritten(content.trim(), to.key));
    onDone();
  });
  if (to === undefined) return <Chooser title={say("forward.title")} field={say("forward.where")} kinds={rooms} onChoose={setTo} onClose={onDone} />;
  return (
    <Dialog title={say("forward.to", { name: to.title })} open onClose={onDone}>
      <form className="grid gap-4" onSubmit={send.submit}>
        <p dir="auto" className="line-clamp-4 border-s-2 border-line-strong ps-3 text-13 whitespace-pre-wrap text-muted">
          {message.forward?.content ?? message.content}
        </p>
        <Field label={say("forward.say")} value={content} maxLength={4000} autoFocus onChange={(event) => setContent(event.target.value)} />
        <Wrong>{send.error}</Wrong>
        <Button type="submit" look="primary" disabled={send.busy}>
          {say("forward.send")}
        </Button>
      </form>
    </Dialog>
  );
}

/** What a message brings along from somewhere else; for who may read it there, the way there. */
export function Brought({ message, forward }: { readonly message: Message; readonly forward: Forward }): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const { communityId } = useWhere();
  const open = useMutation(
    async () => {
      const { channelId, messageId } = await doing.source(message);
      await doing.goTo(channelId, messageId);
    },
    { NOT_FOUND: "forward.gone" },
    say,
  );
  return (
    <figure className="my-1 grid max-w-[40rem] gap-1 border-s-2 border-line-strong ps-3">
      <figcaption className="flex flex-wrap items-center gap-x-2 text-12 text-faint">
        <ForwardSign size={14} strokeWidth={2} aria-hidden className="rtl:-scale-x-100" /> {say("forward.brought")}
        {forward.createTime !== undefined && <time>{whole(timestampDate(forward.createTime))}</time>}
        <button type="button" className="text-accent-text underline-offset-3 hover:underline" onClick={() => open.submit()}>
          {say("panel.goto")}
        </button>
      </figcaption>
      <div dir="auto" className="text-15 [overflow-wrap:anywhere]">
        <Said text={forward.content} communityId={communityId} />
      </div>
      <Wrong>{open.error}</Wrong>
    </figure>
  );
}
