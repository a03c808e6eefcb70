/** What an app sends people with, under the names of the contract. */
export interface Request {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly responseType: string;
  readonly scope: string;
  readonly state: string;
  readonly codeChallenge: string;
  readonly codeChallengeMethod: string;
}

const names: Readonly<Record<keyof Request, string>> = {
  clientId: "client_id",
  redirectUri: "redirect_uri",
  responseType: "response_type",
  scope: "scope",
  state: "state",
  codeChallenge: "code_challenge",
  codeChallengeMethod: "code_challenge_method",
};

/** The request of a query; undefined when it says something twice (RFC 6749, 3.1): which of them counts nobody knows. */
export function requestOf(query: string): Request | undefined {
  const said = new URLSearchParams(query);
  const entries = Object.entries(names).map(([name, told]) => [name, said.getAll(told)] as const);
  if (entries.some(([, values]) => values.length > 1)) return undefined;
  return Object.fromEntries(entries.map(([name, [value = ""]]) => [name, value])) as unknown as Request;
}
