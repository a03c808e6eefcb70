export { Client, type ClientOptions } from "./client.js";
export { CallError } from "./errors.js";
export { EventStream } from "./events.js";
export { pages } from "./paging.js";
export { Retries, type RetryOptions } from "./retrying.js";
