import { create } from "@bufbuild/protobuf";
import type { DescService } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { Client } from "@creavio/client";
import { DraftService } from "@creavio/client/chat/v1/draft_service";
import { ChannelSchema } from "@creavio/client/community/v1/channel";
import { Permission } from "@creavio/client/options/v1/permission";

import { api } from "@/api/client";
import { Composer } from "@/rooms/composer";
import { WhereProvider } from "@/rooms/where";
import { Actions } from "@/store/actions";
import { empty } from "@/store/state";
import { store } from "@/store/store";
import { DoingProvider } from "@/ui/context";

const where = { roomId: "chn_1", communityId: "com_1", channelId: "chn_1" };
const transport = createRouterTransport(({ service }) => {
  service(DraftService, { listDrafts: () => ({}), saveDraft: () => ({}) });
});

beforeEach(() => {
  store.setState({
    ...empty,
    channels: { com_1: [create(ChannelSchema, { id: "chn_1", communityId: "com_1", name: "beds" })] },
    permissions: { chn_1: new Set([Permission.SEND_MESSAGES]) },
  });
  const client = { service: (described: DescService) => createClient(described, transport) } as unknown as Client;
  render(
    <DoingProvider value={new Actions(api(client))}>
      <WhereProvider value={where}>
        <Composer name="beds" replyTo={undefined} onReplied={() => {}} onEditLast={() => {}} />
      </WhereProvider>
    </DoingProvider>,
  );
});
afterEach(() => {
  cleanup();
  localStorage.clear();
});

test("whoever types on at once after a name was put in goes on behind it", async () => {
  const field = screen.getByRole<HTMLTextAreaElement>("textbox");
  const user = userEvent.setup({ delay: null });
  await user.type(field, "see #be");
  await screen.findByRole("option", { name: "beds" });
  // No frame is drawn between two keys of somebody fast.
  await user.keyboard("{Tab}now");
  await new Promise((drawn) => requestAnimationFrame(drawn));
  await user.keyboard(" and then");
  expect(field.value).toBe("see #beds now and then");
});
