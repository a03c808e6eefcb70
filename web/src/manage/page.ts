import type { Community } from "@creavio/client/community/v1/community";
import type { Place } from "@/route";

/** What every page of the settings of a community is given. */
export interface PageProps {
  readonly community: Community;
  /** What is chosen on the page, as the address says it; empty for nothing. */
  readonly item: string;
  /** Where the list of pages is, on a phone. */
  readonly list: Place;
}
