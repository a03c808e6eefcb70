/**
 * Every item of a list, in its order; a page is fetched when the one before is used up.
 * `items` says what of a page they are: `(page) => page.messages`.
 */
export async function* pages<Request extends { pageToken?: string | undefined }, Page extends { nextPageToken: string }, Item>(
  call: (request: Request) => Promise<Page>,
  request: Request,
  items: (page: Page) => Iterable<Item>,
): AsyncGenerator<Item, void, undefined> {
  let asked = request;
  for (;;) {
    const page = await call(asked);
    yield* items(page);
    if (page.nextPageToken === "") return;
    asked = { ...asked, pageToken: page.nextPageToken };
  }
}
