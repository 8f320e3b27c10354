import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { render } from 'preact-render-to-string';
import { blocksOf } from '../../../../src/web/chat/markdown.tsx';

const html = (text: string): string =>
  blocksOf(text, '(ny flik)')
    .map(({ shown }) => render(<>{shown}</>))
    .join('');

describe('a text', () => {
  it.each([
    ['paragraphs', 'En rad.\n\nEn till.', '<p>En rad.</p><p>En till.</p>'],
    ['a list', '- ett\n- **två**', '<ul><li>ett</li><li><strong>två</strong></li></ul>'],
    ['steps', '1. ett\n2. *två*', '<ol><li>ett</li><li><em>två</em></li></ol>'],
    ['a time of day that looks like a list', '9:30–10:30 och 13:30', '<p>9:30–10:30 och 13:30</p>'],
    ['signs that HTML has a use for', 'a < b & "c"', '<p>a &lt; b &amp; &quot;c&quot;</p>'],
  ])('is shown with its %s', (_what, text, shown) => {
    expect(html(text)).toBe(shown);
  });

  it('leads to the web in a tab of its own, and says so', () => {
    expect(html('se https://example.se/x')).toBe(
      '<p>se <a href="https://example.se/x" target="_blank" rel="noopener noreferrer">https://example.se/x<span class="unseen"> (ny flik)</span></a></p>',
    );
  });

  it.each([
    '[här](javascript:alert(1))',
    '[här](JaVaScRiPt:alert(1))',
    '[här](data:text/html,x)',
    '[här](vbscript:x)',
    '![här](https://example.se/x.png)',
    '<a href="https://example.se" onclick="x">här</a>',
    '<javascript:alert(1)>',
  ])('leads nowhere else: %s', (text) => {
    expect(html(text)).not.toMatch(/<(a|img)\b[^>]*(javascript|data|vbscript|onclick|png)/i);
    expect(html(text)).not.toBe('');
  });

  it('tells which rules a paragraph is founded on, and shows no number for them', () => {
    const blocks = blocksOf('Så är det.\n\nEnligt V. [1] [2]\n\n[1]: cite:R25 "R25"\n[2]: cite:R26 "R26"', '');
    expect(blocks.map(({ cites }) => cites)).toEqual([[], ['R25', 'R26']]);
    expect(render(<>{blocks[1]?.words}</>).trim()).toBe('Enligt V.');
  });

  it('becomes nothing that could run, whatever it holds', () => {
    const sign = fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '&',
      '[',
      ']',
      '(',
      ')',
      '!',
      '`',
      '*',
      '\n',
      ' ',
      'javascript:',
      'script',
      'img',
      'onerror=',
      'a',
      ':',
      '/',
      '#',
      '1.',
      '- ',
      '\\',
      '|',
    );
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 40 }), (signs) => {
        const tags = html(signs.join('')).match(/<[^>]*>/g) ?? [];
        const safe =
          /^<\/?(p|ul|ol|li|strong|em|br|span|a)( class="unseen"| href="(https?|mailto|tel):[^"]*" target="_blank" rel="noopener noreferrer")?\/?>$/i;
        expect(tags.filter((tag) => !safe.test(tag))).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });
});
