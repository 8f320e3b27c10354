/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Brings the chat page to life: what the server rendered as a form, becomes a conversation that moves by itself. */
import { hydrate, render } from 'preact';
import type { ChatPageData } from '../chat-page.tsx';
import { isOwn, placeIn } from '../chat/activity.ts';
import type { DrawCard } from '../chat/card.tsx';
import { atRest, type Chat, ChatView } from '../chat/chat-view.tsx';
import { blocksOf } from '../chat/markdown.tsx';
import { createSession } from './session.ts';

/** What the page that we may be framed in is told, and tells. */
type ToHost = 'ready' | 'close' | 'unread' | 'read';
type FromHost = { kortlotsen: 'opened' };

const app = elementById('app');
const data = JSON.parse(elementById('data').textContent) as ChatPageData;
const isFramed = window.parent !== window;
// A way in is taken once: whoever loads the page again is in already.
if (location.pathname.startsWith('/c/')) history.replaceState(null, '', '/');

const session = createSession({ activities: data.activities, returnToken: data.form.token || undefined });

const drawCard: DrawCard = async (card, into) => {
  const { drawAdaptiveCard } = await import('./adaptive-card.ts');
  return drawAdaptiveCard(card, into, toHtml);
};

function toHtml(text: string): string {
  const element = document.createElement('div');
  render(
    blocksOf(text, data.texts.newTab).map(({ shown }) => shown),
    element,
  );
  return element.innerHTML;
}

let chat: Chat = atRest(data.activities);
let form = data.form;

const view = () => (
  <ChatView
    chat={chat}
    texts={data.texts}
    dated={data.dated}
    form={form}
    isAlive
    isFramed={isFramed}
    drawCard={drawCard}
    onBegin={session.begin}
    onSay={(text) => {
      session.say(text);
      closeMenu();
      if (document.activeElement === document.body || document.activeElement instanceof HTMLButtonElement) focusBox();
    }}
    onStartOver={() => {
      void session.leave().then(startOver);
    }}
    onClose={() => {
      tellHost('close');
    }}
  />
);

// What only scripts can do is not in what was rendered without them, so it is put there after.
hydrate(
  <ChatView chat={chat} texts={data.texts} dated={data.dated} form={form} isAlive={false} isFramed={false} />,
  app,
);
render(view(), app);
scrollToNews();

session.subscribe((changed, returnToken) => {
  const [before, after] = [lastAnswerIn(chat), lastAnswerIn(changed)];
  const isWritten = changed.unsent.length > chat.unsent.length;
  chat = changed;
  form = { ...form, token: returnToken };
  render(view(), app);
  if (after > before || isWritten) scrollToNews();
  if (after > before && before > 0) tellHost('unread');
});

// A page that was made by sending a form would ask to send it again.
history.replaceState(null, '', '/');

/** The last that was written stays in sight, and what came after it begins there. */
function scrollToNews(): void {
  const main = document.querySelector('main');
  const own = [...document.querySelectorAll<HTMLElement>('.message.own')].at(-1);
  if (!main) return;
  const top = own ? own.offsetTop - 8 : 0;
  main.scrollTo({ top: own ? Math.min(top, main.scrollHeight) : 0 });
  if (main.scrollHeight <= main.clientHeight + 1 && own) own.scrollIntoView({ block: 'nearest' });
}

/** On a phone, a box that is given the focus brings up the keyboard, and that covers the answer. */
function focusBox(): void {
  if (!matchMedia('(pointer: coarse)').matches) document.querySelector<HTMLElement>('#text')?.focus();
  else document.querySelector<HTMLElement>('main')?.focus();
}

function startOver(): void {
  location.replace('/');
}

function closeMenu(): boolean {
  const menu = document.querySelector<HTMLDetailsElement>('.menu');
  const wasOpen = menu?.open ?? false;
  if (menu) menu.open = false;
  return wasOpen;
}

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.defaultPrevented) return;
  if (closeMenu()) document.querySelector<HTMLElement>('.menu summary')?.focus();
  else if (isFramed) tellHost('close');
});
document.addEventListener('click', ({ target }) => {
  if (target instanceof Element && !target.closest('.menu')) closeMenu();
});

// The page around us is somebody else's. It is told nothing that was said.
function tellHost(word: ToHost): void {
  if (isFramed) window.parent.postMessage({ kortlotsen: word }, '*');
}
window.addEventListener('message', ({ source, data: said }: MessageEvent<unknown>) => {
  if (isFramed && source === window.parent && isFromHost(said)) {
    focusBox();
    tellHost('read');
  }
});
tellHost('ready');

function isFromHost(said: unknown): said is FromHost {
  return typeof said === 'object' && said !== null && 'kortlotsen' in said && said.kortlotsen === 'opened';
}

function lastAnswerIn({ activities }: Chat): number {
  const last = activities.findLast((each) => !isOwn(each));
  return last ? placeIn(last) : 0;
}

function elementById(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no ${id}`);
  return element;
}
