import { describe, expect, it } from '@jest/globals';
import { render } from 'preact-render-to-string';
import { Activity } from '../../../../src/web/chat/activity.ts';
import { atRest, ChatView } from '../../../../src/web/chat/chat-view.tsx';
import { CHAT_TEXTS, type Texts } from '../../../../src/web/chat/texts.ts';
import { content } from '../../../product.ts';

const texts = Object.fromEntries(CHAT_TEXTS.map((name) => [name, content.label(`chat/${name}`)])) as Texts;

const activity = (seq: number, from: object, now?: object) =>
  Activity.parse({ id: `c|${seq}`, type: 'message', from, text: `text ${seq}`, ...(now && { channelData: { now } }) });
const student = { role: 'user' };
const bot = { role: 'bot', name: 'Kortlotsen' };
const desk = { role: 'bot' };
const anna = { role: 'bot', name: 'Anna <i>A</i>' };

const shown = (activities: Activity[], isAlive = true): string =>
  render(
    <ChatView
      chat={atRest(activities)}
      texts={texts}
      dated={[]}
      form={{ token: '', id: '' }}
      isAlive={isAlive}
      isFramed={false}
    />,
  );

const handedOver = [activity(1, student), activity(2, bot, { speaker: 'queue' })];
const taken = [...handedOver, activity(3, desk, { speaker: 'agent', name: anna.name }), activity(4, anna)];
const back = [...taken, activity(5, bot, { speaker: 'bot' })];

describe('who answers', () => {
  it.each([
    ['the robot, to begin with', [activity(1, bot)], texts.robot],
    ['nobody yet, while a human is waited for', handedOver, texts.inQueue],
    ['the agent, by name', taken, `Anna &lt;i>A&lt;/i>${texts.human}`],
    ['the robot again, once it is handed back', back, texts.robot],
  ])('is %s', (_, activities, words) => {
    expect(/<p class="robot"[^>]*>([^]*?)<\/p>/.exec(shown(activities))?.[1]).toBe(words);
  });

  it('is told at each message too', () => {
    const names = [...shown(taken).matchAll(/class="who">([^]*?)<\/span>/g)].map(([, name]) => name);
    expect(names).toEqual([texts.you, texts.bot, texts.desk, 'Anna &lt;i>A&lt;/i>']);
  });
});

describe('a message that is not answered yet', () => {
  const asked = activity(9, student);

  it('is waited for where the robot is to answer it, and not where a human is', () => {
    expect(shown([...back, asked])).toContain(texts.waiting);
    expect(shown([...taken, asked])).not.toContain(texts.waiting);
  });

  it('can be asked after without scripts, and so can what a human may have written meanwhile', () => {
    expect(shown([...taken, asked], false)).toContain(texts.humansTakeTime);
    expect(shown(taken, false)).toContain(texts.showAnswer);
    expect(shown(back, false)).not.toContain(texts.showAnswer);
  });
});
