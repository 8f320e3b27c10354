/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * What runs in the student's browser: starts Web Chat, and starts it again in
 * the same conversation when the page is reloaded, the token has run out or the
 * server was away.
 *
 * The tab remembers its conversation, and no longer than the tab: computers on
 * a ward are shared.
 */
import type { StockChat, StockPageData } from '../stock-page.ts';

/** What of Web Chat is used. It comes with a script of its own, and not with its types. */
type DirectLine = { connectionStatus$: { subscribe: (hear: (status: number) => void) => void }; end: () => void };
type WebChat = {
  createDirectLine: (options: object) => DirectLine;
  renderWebChat: (options: object, element: Element) => void;
};
declare const window: Window & { WebChat: WebChat };

/** What the tab comes back with. */
type Return = Pick<StockChat, 'returnToken' | 'token'>;
type State = 'online' | 'offline' | 'unreachable';

/** As Direct Line's client numbers them. */
const ONLINE = 2;
const LOST = [3, 4];
/** In milliseconds. */
const AGAIN = [1_000, 2_000, 4_000, 8_000];
const REMEMBERED = 'kortlotsen-web-chat';

const data = JSON.parse(elementById('data').textContent) as StockPageData;
const status = elementById('status');
let attempts = 0;

/** In a frame on another page the browser may keep nothing for us; then a reload begins anew. */
function remembered(): Partial<Return> {
  try {
    return JSON.parse(sessionStorage.getItem(REMEMBERED) ?? '{}') as Partial<Return>;
  } catch {
    return {};
  }
}

function remember(back: Return | undefined): void {
  try {
    if (back === undefined) sessionStorage.removeItem(REMEMBERED);
    else sessionStorage.setItem(REMEMBERED, JSON.stringify(back));
  } catch {
    // As above: nothing is remembered, and everything else works.
  }
}

async function start(): Promise<void> {
  const response = await fetch('/web-chat/token', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(remembered()),
  });
  if (!response.ok) {
    again(response.status === 503 ? 'unreachable' : 'offline');
    return;
  }
  const { domain, conversationId, user, isKnown, token, returnToken } = (await response.json()) as StockChat;
  remember({ returnToken, token });

  const directLine = window.WebChat.createDirectLine({
    domain: new URL(domain, location.href).href,
    token,
    ...(isKnown && { conversationId, watermark: '0' }),
  });
  let isOver = false;
  directLine.connectionStatus$.subscribe((connection) => {
    if (connection === ONLINE) tell('online');
    if (LOST.includes(connection) && !isOver) {
      isOver = true;
      directLine.end();
      again('offline');
    }
  });
  render(directLine, user);
}

function render(directLine: DirectLine, userID: string): void {
  const { accent, subtle, line, own } = colours();
  window.WebChat.renderWebChat(
    {
      directLine,
      userID,
      locale: 'sv-SE',
      nonce: document.querySelector<HTMLElement>('script[nonce]')?.nonce,
      overrideLocalizedStrings: data.strings,
      styleOptions: {
        accent,
        subtle,
        timestampColor: subtle,
        primaryFont: 'system-ui, "Segoe UI", Roboto, sans-serif',
        backgroundColor: 'transparent',
        bubbleBackground: 'white',
        bubbleBorderColor: line,
        bubbleBorderRadius: 10,
        bubbleMaxWidth: 620,
        bubbleFromUserBackground: own,
        bubbleFromUserBorderColor: own,
        bubbleFromUserTextColor: 'white',
        bubbleFromUserBorderRadius: 10,
        paddingRegular: 12,
        cardPushButtonBackgroundColor: accent,
        cardPushButtonTextColor: 'white',
        cardEmphasisBackgroundColor: 'white',
        markdownRespectCRLF: false,
        hideUploadButton: true,
        disableFileUpload: true,
        suggestedActionLayout: 'flow',
        suggestedActionBorderRadius: 18,
        suggestedActionBackgroundColor: 'white',
        suggestedActionTextColor: accent,
        suggestedActionBorderColor: accent,
        sendBoxBackground: 'white',
        sendBoxTextWrap: true,
        sendBoxButtonColor: accent,
        sendBoxBorderTop: `solid 1px ${line}`,
        sendTimeout: 30_000,
        showAvatarInGroup: 'status',
      },
    },
    elementById('chat'),
  );
}

function again(state: State): void {
  tell(state);
  const wait = AGAIN[Math.min(attempts, AGAIN.length - 1)];
  attempts++;
  setTimeout(begin, wait);
}

function tell(state: State): void {
  const wasAway = attempts > 0;
  if (state === 'online') attempts = 0;
  const text = state === 'online' && !wasAway ? '' : data[state];
  // Written again, it would be read aloud again.
  if (status.textContent !== text) status.textContent = text;
  status.dataset.state = state;
}

function begin(): void {
  start().catch(() => {
    again('offline');
  });
}

function colours(): Record<'accent' | 'subtle' | 'line' | 'own', string> {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return { accent: colour('accent'), subtle: colour('subtle'), line: colour('line'), own: colour('own') };
}

function elementById(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no ${id}`);
  return element;
}

elementById('leave').addEventListener('click', () => {
  remember(undefined);
  location.reload();
});
begin();
