/** Chance that can be had again: the same seed gives the same choices in the same order. */
export type Chance = {
  /** A whole number from 0 up to, and not including, `limit`. */
  below(limit: number): number;
  happens(probability: number): boolean;
  oneOf<Choice>(choices: readonly Choice[]): Choice;
};

export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  // Mulberry32: good enough to choose with, and the same everywhere.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    happens: (probability) => next() < probability,
    oneOf(choices) {
      const nth = below(choices.length);
      const [chosen] = choices.slice(nth, nth + 1);
      if (chosen === undefined) throw new Error('There is nothing to choose from');
      return chosen;
    },
  };
}
