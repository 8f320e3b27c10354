/** How a conversation looks to a channel of the Bot Framework. */
import { describe, expect, it } from '@jest/globals';
import { toActivity } from '../../../src/channels/activities.ts';
import { content } from '../../product.ts';
import { activitiesAfter, clientOf, conversationsIn } from '../chat.ts';

const at = '2026-11-23T08:00';

describe('a reply that claims something', () => {
  it('cites its rules as Teams and Web Chat show citations', async () => {
    const [reply] = await answersTo('hur låser jag upp kortet', 'ja');
    expect(reply?.entities).toEqual([
      {
        type: 'https://schema.org/Message',
        '@type': 'Message',
        '@context': 'https://schema.org',
        '@id': '',
        citation: [
          {
            '@type': 'Claim',
            position: 1,
            appearance: {
              '@type': 'DigitalDocument',
              name: 'R47 eTjänstekort för studerande',
              abstract: expect.any(String),
            },
          },
          expect.objectContaining({ position: 2 }),
          expect.objectContaining({ position: 3 }),
        ],
      },
    ]);
    expect(reply?.text).toMatch(/Vårdgivarguiden.*22 mars 2022.* \[1\] \[2\] \[3\]$/);
  });

  it('has a marker for each citation, and a citation for each marker', async () => {
    const replies = await answersTo(
      'när är sös öppet?',
      'var fotograferar jag mig?',
      'när måste jag förnya kortet?',
      'vem kontaktar jag?',
    );
    for (const { text = '', entities = [] } of replies) {
      const markers = [...text.matchAll(/\[(\d+)\]/g)].map(([, position]) => Number(position));
      const positions = entities.flatMap(({ citation }) =>
        (citation as { position: number }[]).map((each) => each.position),
      );
      expect(positions).toEqual(markers);
    }
  });

  it('quotes no more of a rule than there is room for, and no half words', () => {
    const everything = { text: '', cites: [...content.rules.keys()], suggests: [], source: undefined };
    const activity = toActivity(everything, content.rules);
    const claims = (activity.entities?.[0]?.citation ?? []) as {
      appearance: { name: string; abstract: string };
    }[];
    expect(claims).toHaveLength(content.rules.size);
    [...content.rules.values()].forEach(({ id, text }, index) => {
      const { name = '', abstract = '' } = claims[index]?.appearance ?? {};
      expect(name).toMatch(new RegExp(`^${id} .{1,76}$`));
      expect(abstract.length).toBeLessThanOrEqual(160);
      const quoted = abstract.replace(/…$/, '');
      expect(`${text} `).toContain(`${quoted} `);
      expect(quoted === text).toBe(text.length <= 160);
    });
  });
});

describe('a reply that claims nothing', () => {
  it('cites nothing', async () => {
    const replies = await answersTo('hej', 'jag har glömt min pinkod');
    expect(replies).not.toEqual([]);
    for (const { text, entities } of replies) {
      expect(entities).toBeUndefined();
      expect(text).not.toMatch(/\[\d+\]/);
    }
  });
});

describe('the replies to a message', () => {
  it('are Swedish, in Markdown', async () => {
    for (const reply of await answersTo('när är sös öppet?')) {
      expect(reply).toMatchObject({ type: 'message', locale: 'sv-SE', textFormat: 'markdown' });
    }
  });

  it('suggest under the last of them, where channels show it', async () => {
    const replies = await answersTo('jag har slagit fel kod tre gånger', 'när är sös öppet på onsdag?');
    expect(replies.at(-2)).not.toHaveProperty('suggestedActions');
    expect(replies.at(-1)?.suggestedActions?.actions).toContainEqual({ type: 'imBack', title: 'Ja', value: 'Ja' });
  });

  it('suggest what they offer to choose among, also when a question comes after', async () => {
    const replies = await answersTo('hur beställer jag kort?', 'kortet är spärrat');
    const titles = replies.at(-1)?.suggestedActions?.actions.map(({ title }) => title);
    expect(titles).toEqual(expect.arrayContaining(['Jag har slagit fel pinkod', 'Ja', 'Nej']));
  });
});

describe('the Dialog', () => {
  it('welcomes a student who has only come in, and waits', async () => {
    const client = clientOf(conversationsIn({ at }));
    const welcome = await activitiesAfter(client, {
      type: 'conversationUpdate',
      membersAdded: [{ id: 'bot', name: '' }],
    });
    expect(welcome.map(({ text }) => text)).toEqual([
      content.label('conversation/welcome'),
      content.label('conversation/listening'),
    ]);
    expect(client.dialogTurnResult.status).toBe('waiting');
  });

  it('answers the message that it is begun with', async () => {
    const client = clientOf(conversationsIn({ at }));
    const [first, ...others] = await activitiesAfter(client, { type: 'message', text: 'duger körkort?' });
    expect(first?.text).toBe(content.label('conversation/welcome'));
    expect(others.at(-1)?.entities).toHaveLength(1);
  });

  it('does not welcome twice, though its stack is lost', async () => {
    const conversations = conversationsIn({ at });
    await activitiesAfter(clientOf(conversations, 'one'), {
      type: 'message',
      text: 'jag har slagit fel kod tre gånger',
    });
    const replies = await activitiesAfter(clientOf(conversations, 'one'), { type: 'message', id: 'later', text: 'ja' });
    expect(replies).toHaveLength(1);
    expect(replies[0]?.text).toContain(content.label('pin-trouble/canUnlock'));
  });

  it('keeps the conversations of two channels apart', async () => {
    const conversations = conversationsIn({ at });
    await activitiesAfter(clientOf(conversations, 'msteams'), {
      type: 'message',
      text: 'jag har slagit fel kod tre gånger',
    });
    const [first] = await activitiesAfter(clientOf(conversations, 'directline'), { type: 'message', text: 'ja' });
    expect(first?.text).toBe(content.label('conversation/welcome'));
  });

  it('is silent when the student is only typing', async () => {
    const client = clientOf(conversationsIn({ at }));
    await activitiesAfter(client, { type: 'conversationUpdate' });
    expect(await activitiesAfter(client, { type: 'typing' })).toEqual([]);
  });

  it('has an answer to a message without text', async () => {
    const client = clientOf(conversationsIn({ at }));
    await activitiesAfter(client, { type: 'conversationUpdate' });
    expect(await activitiesAfter(client, { type: 'message', attachments: [] })).not.toEqual([]);
  });
});

/** Everything that follows on the messages of one chat, but the welcome. */
async function answersTo(...messages: string[]) {
  const client = clientOf(conversationsIn({ at }));
  await activitiesAfter(client, { type: 'conversationUpdate' });
  const replies = [];
  for (const text of messages) replies.push(await activitiesAfter(client, { type: 'message', text }));
  return replies.at(-1) ?? [];
}
