import type { ReactNode } from "react";

import { classes } from "./parts";

/*
 * Small pictures for people and places that have none of their own: nobody begins as a
 * grey silhouette. Two tones of a hue each, on its ground; drawn for 24 pixels and up.
 */
const mid = "fill-hue-mid";
const ink = "fill-hue-ink";
const line = "fill-none stroke-hue-ink stroke-[2] [stroke-linecap:round] [stroke-linejoin:round]";

const motifs: readonly ReactNode[] = [
  // Hills under a sun.
  <>
    <circle cx="27" cy="13" r="4.5" className={mid} />
    <path d="M-2 30C6 19 14 19 22 28S36 27 44 22v20H-2Z" className={mid} />
    <path d="M-2 36c10-9 20-7 28-2s12 2 18-2v12H-2Z" className={ink} />
  </>,
  // Waves.
  <>
    <path d="M-2 20c5-5 9-5 14 0s9 5 14 0 9-5 16 0v24H-2Z" className={mid} />
    <path d="M-2 29c5-4 9-4 14 0s9 4 14 0 9-4 16 0v15H-2Z" className={ink} />
  </>,
  // A leaf.
  <>
    <path d="M20 6c9 6 11 15 0 28C9 21 11 12 20 6Z" className={mid} />
    <path d="M20 13v22M20 20l4.5-3.500M20 25l-4.5-3.5" className={line} />
  </>,
  // A moon and two stars.
  <>
    <path d="M24 8a12.5 12.5 0 1 0 7.5 19.500A10.5 10.5 0 0 1 24 8Z" className={ink} />
    <circle cx="29" cy="14" r="1.8" className={mid} />
    <circle cx="32.5" cy="20" r="1.3" className={mid} />
  </>,
  // A cup.
  <>
    <path d="M11 17h16v8a7 7 0 0 1-7 7h-2a7 7 0 0 1-7-7Z" className={ink} />
    <path d="M27 19.500h2a3.5 3.5 0 0 1 0 7h-2.5" className={line} />
    <path d="M16 13c-1.5-2 1.5-3 0-5.500M21.5 13c-1.5-2 1.5-3 0-5.5" className="fill-none stroke-hue-mid stroke-[2] [stroke-linecap:round]" />
  </>,
  // A flower.
  <>
    {[0, 72, 144, 216, 288].map((turn) => (
      <ellipse key={turn} cx="20" cy="12.5" rx="4.6" ry="6" className={mid} transform={`rotate(${turn} 20 20)`} />
    ))}
    <circle cx="20" cy="20" r="4" className={ink} />
  </>,
  // A boat.
  <>
    <path d="M19 8v18H9Z" className={mid} />
    <path d="M21.5 12 30 26h-8.500Z" className={ink} />
    <path d="M7 28h26c-1 4-4 6-8 6H15c-4 0-7-2-8-6Z" className={ink} />
  </>,
  // A lantern.
  <>
    <path d="M16 7h8" className={line} />
    <path d="M14 11h12l3 6v12l-3 4H14l-3-4V17Z" className={ink} />
    <path d="M20 16c3.5 4 3.5 7 0 11-3.5-4-3.5-7 0-11Z" className={mid} />
  </>,
  // A wheel.
  <>
    <circle cx="20" cy="20" r="12" className="fill-none stroke-hue-ink stroke-[3]" />
    <path d="M20 10v20M10 20h20M13 13l14 14M27 13 13 27" className="fill-none stroke-hue-mid stroke-[2]" />
    <circle cx="20" cy="20" r="3.2" className={ink} />
  </>,
  // A fish.
  <>
    <path d="M6 20c5-8 14-9 21-1l6-5v12l-6-5c-7 8-16 7-21-1Z" className={mid} />
    <circle cx="13" cy="18.5" r="1.8" className={ink} />
    <path d="M19 15c2 3 2 7 0 10" className={line} />
  </>,
  // A house.
  <>
    <path d="M8 19 20 8l12 11" className={line} />
    <path d="M11 19h18v14H11Z" className={mid} />
    <path d="M17 24h6v9h-6Z" className={ink} />
  </>,
  // A tree.
  <>
    <path d="M18.5 24h3v11h-3Z" className={ink} />
    <circle cx="20" cy="17" r="9.5" className={mid} />
    <circle cx="16.5" cy="15" r="2" className={ink} />
    <circle cx="23" cy="19.5" r="2" className={ink} />
  </>,
];

/** A drawn picture, the same for the same id wherever it is shown. */
export function Motif({ id, className }: { readonly id: string; readonly className?: string }): ReactNode {
  return (
    <svg viewBox="0 0 40 40" aria-hidden className={classes("block", className)}>
      {motifs[numberOf(id) % motifs.length]}
    </svg>
  );
}

/** Another number than that of the hue, so that the two do not always go together. */
function numberOf(id: string): number {
  let number = 7;
  for (const sign of id) number = (number * 33 + sign.charCodeAt(0)) >>> 0;
  return number >>> 3;
}
