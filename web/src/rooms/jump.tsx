import { CalendarDays } from "lucide-react";
import { type ReactNode, useState } from "react";

import { useActions } from "@/ui/context";
import { useMutation } from "@/ui/mutation";
import { Button, Field, Wrong } from "@/ui/parts";

import { PanelButton } from "./panels";
import { useSay } from "./texts";

/** Leads to what was said on a day. */
export function JumpButton({ roomId }: { readonly roomId: string }): ReactNode {
  const say = useSay();
  return (
    <PanelButton label={say("bar.jump")} icon={CalendarDays}>
      <Jump roomId={roomId} />
    </PanelButton>
  );
}

function Jump({ roomId }: { readonly roomId: string }): ReactNode {
  const say = useSay();
  const actions = useActions();
  const [day, setDay] = useState("");
  const jump = useMutation(() => actions.jump(roomId, { time: new Date(`${day}T00:00`) }));
  return (
    <form className="grid gap-3 px-2 pb-2" onSubmit={jump.submit}>
      <Field type="date" label={say("jump.day")} value={day} required onChange={(event) => setDay(event.target.value)} />
      <Wrong>{jump.error}</Wrong>
      <Button type="submit" look="primary" disabled={jump.busy || day === ""}>
        {say("jump.go")}
      </Button>
    </form>
  );
}
