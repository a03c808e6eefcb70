const gutter = "px-3.5 mid:px-5 compact:mid:px-3";

/**
 * How the rows of messages stand. Close together, one line says when, who and what, where
 * there is room for that; the columns are the same in every row, so that what goes on stands
 * under what it goes on from.
 */
export const look = {
  gutter,
  row: `${gutter} grid grid-cols-[2.25rem_minmax(0,1fr)] gap-x-3 compact:grid-cols-[1.5rem_minmax(0,1fr)] compact:gap-x-2 compact:@md:grid-cols-[3.25rem_1.5rem_minmax(0,1fr)]`,
  /** A row with its author. */
  begins: "pt-1.75 pb-1 compact:py-0.5",
  /** A row of the author above. */
  goesOn: "py-0.5 compact:py-px",
  time: "col-start-1 row-start-1 justify-self-end text-11 whitespace-nowrap text-faint tabular-nums",
  timeBeside: "hidden self-start pt-1.25 compact:@md:block",
  timeNear: "pt-1 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 compact:hidden compact:@md:block compact:@md:pt-0.75",
  /** While messages are selected, the box has the place of the time. */
  timeAway: "hidden compact:@md:block compact:@md:pt-0.75",
  box: "grid h-5.5 place-items-center compact:h-5",
  /** Where the person is seen. */
  side: "col-start-1 row-start-1 compact:@md:col-start-2",
  /** The name, and beside or below it what was said. */
  said: "col-start-2 row-start-1 min-w-0 compact:@md:col-start-3 compact:@md:grid compact:@md:grid-cols-[clamp(5.5rem,18cqi,9rem)_minmax(0,1fr)] compact:@md:gap-x-2",
  body: "min-w-0 max-w-[44rem] compact:@md:col-start-2",
} as const;
