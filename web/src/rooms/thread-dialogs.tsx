import { type ReactNode, useState } from "react";

import { go } from "@/route";
import { useMutation } from "@/ui/mutation";
import { Button, Field, Wrong } from "@/ui/parts";

import { useSay } from "./texts";
import { useDoing } from "./use-doing";
import { useWhere } from "./where";

const longest = 100;

interface BeginThreadProps {
  readonly channelId: string;
  /** Empty for a thread that begins by itself. */
  readonly messageId: string;
  /** What it may be called. */
  readonly about: string;
  readonly onDone: () => void;
}

/** What a thread is called, before it begins. */
export function BeginThread({ channelId, messageId, about, onDone }: BeginThreadProps): ReactNode {
  const say = useSay();
  const doing = useDoing();
  const { communityId } = useWhere();
  const [name, setName] = useState(() => [...(about.split("\n")[0] ?? "")].slice(0, longest).join(""));
  const begin = useMutation(async () => {
    const thread = await doing.beginThread(channelId, messageId, name.trim());
    onDone();
    go({ at: "channel", communityId, channelId, threadId: thread.id });
  });
  return (
    <form className="grid gap-4" onSubmit={begin.submit}>
      <Field
        label={say("thread.name")}
        value={name}
        maxLength={longest}
        required
        autoFocus
        error={begin.fields["name"]}
        onChange={(event) => setName(event.target.value)}
      />
      <Wrong>{begin.error}</Wrong>
      <Button type="submit" look="primary" disabled={begin.busy || name.trim() === ""}>
        {say("thread.begin")}
      </Button>
    </form>
  );
}
