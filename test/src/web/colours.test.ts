import { describe, expect, it } from '@jest/globals';
import { contrastOf, DARK, READABLE, readableInTheDark } from '../../../src/web/colours.ts';

describe('the contrast of two colours', () => {
  it.each([
    ['#000000', '#ffffff', 21],
    ['#777777', '#ffffff', 4.48],
    ['#767676', '#ffffff', 4.54],
    ['#ff0000', '#ffffff', 4],
    ['#00527a', '#00527a', 1],
  ])('of %s and %s is %d, as WCAG measures it', (one, other, contrast) => {
    expect(contrastOf(one, other)).toBeCloseTo(contrast, 2);
    expect(contrastOf(other, one)).toBe(contrastOf(one, other));
  });
});

describe('a colour on a dark ground', () => {
  it.each(['#00527a', '#000000', '#7a0000', '#123456'])('can be read: %s is made lighter', (colour) => {
    expect(contrastOf(colour, DARK)).toBeLessThan(READABLE);
    expect(contrastOf(readableInTheDark(colour), DARK)).toBeGreaterThanOrEqual(READABLE);
  });

  it('that can be read stays as it is', () => {
    expect(readableInTheDark('#8fd0ff')).toBe('#8fd0ff');
  });

  it('keeps its hue for as long as it can', () => {
    const [red, green, blue] = [1, 3, 5].map((at) =>
      Number.parseInt(readableInTheDark('#00527a').slice(at, at + 2), 16),
    );
    expect(Number(blue)).toBeGreaterThan(Number(green));
    expect(Number(green)).toBeGreaterThan(Number(red));
  });
});
