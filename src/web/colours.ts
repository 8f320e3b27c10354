/** Colours that can be read, as WCAG 2.1 measures it (1.4.3). They are written #rrggbb. */

/** Ours, where the settings say no other. */
export const ACCENT = '#00527a';

/** What is written on where somebody wants it dark. */
export const DARK = '#1b2830';

/** The least contrast of text. */
export const READABLE = 4.5;

/** Between 1 and 21. */
export function contrastOf(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminanceOf(one), luminanceOf(other)].sort((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

/** The colour, made lighter until it can be read in the dark. */
export function readableInTheDark(colour: string): string {
  const [from, to] = [partsOf(colour), 255];
  const mixes = Array.from(
    { length: 100 },
    (_, step) => `#${from.map((part) => hex(part + ((to - part) * step) / 100)).join('')}`,
  );
  return mixes.find((mixed) => contrastOf(mixed, DARK) >= READABLE) ?? '#ffffff';
}

function luminanceOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = partsOf(colour).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const partsOf = (colour: string): number[] => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
const hex = (part: number): string => Math.round(part).toString(16).padStart(2, '0');
