import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type ReactNode, useState } from "react";

import type { Message, MessageVersion } from "@creavio/client/chat/v1/message";
import { whole } from "@/ui/dates";
import { useMutation } from "@/ui/mutation";
import { Dialog, Wrong } from "@/ui/parts";

import { useSay } from "./texts";
import { useDoing } from "./use-doing";
import { asTyped } from "./written";

/** That a message was edited, and behind it what it said before. */
export function History({ message }: { readonly message: Message }): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const [versions, setVersions] = useState<readonly MessageVersion[]>();
  const open = useMutation(async () => setVersions(await doing.versions(message.channelId, message.id)));
  return (
    <>
      {" "}
      <button type="button" className="text-12 text-faint hover:underline" aria-haspopup="dialog" onClick={() => open.submit()}>
        {say("message.edited")}
      </button>
      <Wrong>{open.error}</Wrong>
      <Dialog title={say("message.history")} open={versions !== undefined} onClose={() => setVersions(undefined)}>
        <ol className="grid max-h-[60dvh] gap-3 overflow-y-auto">
          {versions?.map((one, at) => (
            <li key={at} className="grid gap-1 border-s-2 border-line-strong ps-3">
              {one.createTime !== undefined && <time className="text-12 text-faint">{whole(timestampDate(one.createTime))}</time>}
              <p dir="auto" className="whitespace-pre-wrap [overflow-wrap:anywhere]">
                {asTyped(one.content)}
              </p>
            </li>
          ))}
        </ol>
      </Dialog>
    </>
  );
}
