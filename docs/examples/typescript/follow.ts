// Prints what happens, and goes on where it was when it is started again.
//
//     CREAVIO_PASSWORD=… node follow.ts http://127.0.0.1:8080 LOGIN token.txt
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

import { Client, pages } from "@creavio/client";
import { CommunityService } from "@creavio/client/community/v1/community_service";

const [url = "http://127.0.0.1:8080", login = "", kept = "token.txt"] = process.argv.slice(2);
const client = new Client(url);
await client.signIn(login, process.env["CREAVIO_PASSWORD"] ?? "");

/** What a client shows before anything happens, and when something was missed. */
async function fetchAnew(): Promise<void> {
  const { listCommunities } = client.service(CommunityService);
  for await (const community of pages(listCommunities, {}, (page) => page.communities)) {
    console.log("in", community.name);
  }
}

const stream = client.events(existsSync(kept) ? readFileSync(kept, "utf8") : "");
for await (const { payload } of stream) {
  if (payload.case === "refetch" || (payload.case === "ready" && !payload.value.resumed)) {
    await fetchAnew();
  }
  console.log(payload.case, payload.value);
  // The token stands behind what was told: kept once that is done, whole or not at all.
  writeFileSync(`${kept}.new`, stream.resumeToken);
  renameSync(`${kept}.new`, kept);
}
