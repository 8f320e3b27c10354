import { describe, expect, it } from '@jest/globals';
import { partsOf } from '../../../../src/web/chat/card.tsx';

const adaptive = (content: unknown) => partsOf({ contentType: 'application/vnd.microsoft.card.adaptive', content });

describe('a card in plain words', () => {
  it('has its title, its texts, its facts and where its buttons lead', () => {
    const body = [
      { type: 'TextBlock', text: 'Kvitto', weight: 'Bolder', wrap: true },
      { type: 'Container', items: [{ type: 'TextBlock', text: 'Spara det.' }] },
      { type: 'FactSet', facts: [{ title: 'Nummer', value: 'S-1' }] },
      { type: 'Image', url: 'https://example.se/x.png' },
    ];
    const actions = [{ type: 'Action.OpenUrl', title: 'Spara', url: 'https://example.se/kvitto' }];
    expect(adaptive({ type: 'AdaptiveCard', version: '1.5', body, actions })).toEqual([
      { kind: 'title', text: 'Kvitto' },
      { kind: 'text', text: 'Spara det.' },
      { kind: 'facts', facts: [{ title: 'Nummer', value: 'S-1' }] },
      { kind: 'link', title: 'Spara', url: 'https://example.se/kvitto' },
    ]);
  });

  it('has what it says instead, if nothing else can be told', () => {
    expect(adaptive({ body: [{ type: 'Input.Text', id: 'x' }], fallbackText: 'Svara i chatten.' })).toEqual([
      { kind: 'text', text: 'Svara i chatten.' },
    ]);
  });

  it('has the buttons of a simple card', () => {
    const content = { buttons: [{ type: 'openUrl', title: 'Logga in', value: 'https://example.se/in' }] };
    expect(partsOf({ contentType: 'application/vnd.microsoft.card.hero', content })).toEqual([
      { kind: 'link', title: 'Logga in', url: 'https://example.se/in' },
    ]);
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', '//example.se', 7, undefined])(
    'leads nowhere but to the web: %s',
    (url) => {
      expect(adaptive({ actions: [{ type: 'Action.OpenUrl', title: 'x', url }] })).toEqual([]);
      const buttons = [{ type: 'openUrl', title: 'x', value: url }];
      expect(partsOf({ contentType: 'application/vnd.microsoft.card.hero', content: { buttons } })).toEqual([]);
    },
  );

  it.each([undefined, null, 7, 'kort', [], { body: 'x' }, { body: [null, 7, { type: 'TextBlock' }] }])(
    'is nothing, if it cannot be read: %j',
    (content) => {
      expect(adaptive(content)).toEqual([]);
    },
  );
});
