import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { toActivity, toWebChatActivity } from '../../../src/channels/activities.ts';
import type { Said, VisitCard } from '../../../src/conversations/store.ts';
import { content } from '../../product.ts';

const link = { title: 'Lägg i kalendern', url: 'https://kortlotsen.example/visits/photo-at-booth/2026-11-23/8:00' };
const photo: VisitCard = {
  name: 'photo-at-booth',
  title: 'Fotografera dig i fotoautomaten',
  rows: [{ name: 'Var', value: 'Lindhagensterassen 1, plan 2' }],
  cites: ['R24'],
  link,
};
const pickup: VisitCard = {
  name: 'pickup-at-lindhagen',
  title: 'Hämta kortet på Lindhagen',
  rows: [{ name: 'Var', value: 'Lindhagensterassen 1, plan 3' }],
  bring: { name: 'Ta med', items: ['giltig id-handling', 'dina pinkoder'] },
  cites: ['R33', 'R35'],
};
const said = (more: Partial<Said>): Said => ({
  text: 'Hej.',
  cites: ['R33'],
  suggests: [],
  source: 'Enligt.',
  ...more,
});

/** As much of an Adaptive Card 1.5 as we use, and nothing else. */
const Text = z.strictObject({
  type: z.literal('TextBlock'),
  text: z.string().min(1),
  wrap: z.literal(true),
  weight: z.literal('Bolder').optional(),
  style: z.literal('heading').optional(),
  spacing: z.literal('None').optional(),
});
const Facts = z.strictObject({
  type: z.literal('FactSet'),
  facts: z.array(z.strictObject({ title: z.string().min(1), value: z.string().min(1) })).min(1),
});
const Card = z.strictObject({
  contentType: z.literal('application/vnd.microsoft.card.adaptive'),
  content: z.strictObject({
    type: z.literal('AdaptiveCard'),
    $schema: z.url(),
    version: z.literal('1.5'),
    lang: z.literal('sv'),
    body: z.array(z.discriminatedUnion('type', [Text, Facts])),
    actions: z
      .array(z.strictObject({ type: z.literal('Action.OpenUrl'), title: z.string(), url: z.url() }))
      .exactOptional(),
  }),
});
const cardsOf = (one: Said) =>
  z
    .array(Card)
    .parse(toActivity(one, content.rules).attachments)
    .map(({ content: card }) => card);

describe('a visit', () => {
  it('is an Adaptive Card with a heading, where and when, and what to bring', () => {
    const [card] = cardsOf(said({ visits: [pickup] }));
    expect(card?.body).toMatchObject([
      { text: 'Hämta kortet på Lindhagen', style: 'heading' },
      { facts: [{ title: 'Var', value: 'Lindhagensterassen 1, plan 3' }] },
      { text: 'Ta med' },
      { text: '- giltig id-handling\n- dina pinkoder' },
    ]);
  });

  it('opens its calendar file, if it has one', () => {
    const [first, second] = cardsOf(said({ visits: [photo, pickup] }));
    expect(first?.actions).toEqual([{ type: 'Action.OpenUrl', ...link }]);
    expect(second).not.toHaveProperty('actions');
  });

  it('says nothing of what to bring when nothing is known of it', () => {
    expect(cardsOf(said({ visits: [photo] }))[0]?.body).toHaveLength(2);
  });

  it('is listed under another, and never beside it', () => {
    expect(toActivity(said({ visits: [photo, pickup] }), content.rules).attachmentLayout).toBe('list');
    expect(toActivity(said({ visits: [photo] }), content.rules)).not.toHaveProperty('attachmentLayout');
  });

  it('comes after the receipt', () => {
    const receipt = { title: 'Kvitto', rows: [{ name: 'Nummer', value: 'S-1' }] };
    const titles = cardsOf(said({ receipt, link, visits: [photo] })).map(({ body }) => body[0]);
    expect(titles).toMatchObject([{ text: 'Kvitto' }, { text: photo.title }]);
  });

  it.each([
    ['Teams', toActivity],
    ['Web Chat', toWebChatActivity],
  ])('has its rules cited after those of the text, each once, in %s', (_channel, toTheirs) => {
    const { text = '', entities } = toTheirs(said({ visits: [photo, pickup] }), content.rules);
    const Claims = z.array(z.object({ citation: z.array(z.object({ appearance: z.object({ name: z.string() }) })) }));
    const [entity] = Claims.parse(entities);
    expect(entity?.citation.map(({ appearance }) => appearance.name.split(' ')[0])).toEqual(['R33', 'R24', 'R35']);
    expect(text).toMatch(/Enligt\. \[1\] \[2\] \[3\]/);
  });
});

describe('a reply that was kept before there were visits', () => {
  it('is shown as it was', () => {
    const activity = toActivity(said({}), content.rules);
    expect(activity).not.toHaveProperty('attachments');
    expect(activity.text).toBe('Hej.\n\nEnligt. [1]');
  });
});
