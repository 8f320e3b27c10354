/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * What `embed.js` does on somebody else's page: a button and, when it is first
 * pressed, the chat in a frame.
 *
 * The page need trust us with a script and a frame, and with nothing else: all
 * is made by DOM calls, in a shadow root with a constructed stylesheet. It sets
 * one global, a symbol, and reads nothing of the page but its own script
 * element.
 *
 * The frame and the page talk in single words, `{ kortlotsen: word }`, and only
 * with each other. The frame says `ready` when it has a way to close of its own,
 * `close` when the student wants to, `unread` when there is an answer and `read`
 * when it has been seen; what is `unread` while the chat is open is seen. It
 * hears `opened` when it gets the student, and is to take the focus then, and
 * only then: a chat that is open again on the next page is not told.
 */
import type { Embedding } from '../embedding.ts';

/** Put around this script when it is served. */
declare const embedding: Embedding;

type Stage = 'opening' | 'ready' | 'missing';

const EMBEDDED = Symbol.for('kortlotsen');
const REMEMBERED = 'kortlotsen-open';
/** When the chat is all there is on the screen; the same as in embed.css. */
const COVERING = '(max-width: 479.98px), (max-height: 399.98px)';
/** How long the frame may take to be ready: altogether, and when it has loaded something. In milliseconds. */
const PATIENCE = { loading: 15_000, loaded: 4_000 };
const WORDS = ['ready', 'close', 'unread', 'read'] as const;

const BUBBLE = 'M21 12a8 8 0 0 1-8 8H4l2-3.5A8 8 0 1 1 21 12Z';
const CROSS = 'M6 6l12 12M18 6L6 18';

const script = document.currentScript;
if (script instanceof HTMLScriptElement) {
  // Before the page is parsed to its end, what is put last does not stay last.
  const start = () => {
    embed(script);
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
}

function embed({ src, dataset }: HTMLScriptElement): void {
  const before: unknown = Reflect.get(globalThis, EMBEDDED);
  if (before instanceof Element && before.isConnected) return;
  const host = Object.assign(document.createElement('kortlotsen-chat'), { lang: 'sv' });
  Object.assign(globalThis, { [EMBEDDED]: host });
  document.body.append(host);
  const root = host.attachShadow({ mode: 'open' });

  const { texts, style } = embedding;
  const home = new URL('./', src);
  const wanted = dataset.label?.trim() ?? '';
  const label = wanted === '' ? texts.open : wanted;
  const newTab = { href: home.href, target: '_blank', rel: 'noopener' };
  // Safari before 16.4 cannot have a stylesheet here that the page's policy lets through.
  if (!('adoptedStyleSheets' in Document.prototype)) {
    root.append(make('a', newTab, label));
    return;
  }
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];

  const opener = make('button', { type: 'button', className: 'opener' }, icon(BUBBLE), label);
  const news = make('p', { className: 'unseen' });
  const closer = make('button', { type: 'button', className: 'close' }, icon(CROSS));
  const told = make('p', {});
  const retrier = make('button', { type: 'button' }, texts.again);
  const ways = make('div', {}, make('a', newTab, texts.newTab), retrier);
  const notice = make('div', { className: 'notice' }, told, ways);
  const panel = make('div', { className: 'panel', id: 'panel', tabIndex: -1 }, notice, closer);
  const place = make('div', { className: `place ${dataset.position === 'left' ? 'left' : 'right'}` });
  describe(opener, { 'aria-expanded': 'false', 'aria-controls': panel.id });
  describe(closer, { 'aria-label': texts.close });
  describe(panel, { role: 'dialog', 'aria-label': texts.chat });
  describe(told, { role: 'status' });
  describe(news, { role: 'status' });
  place.append(opener, panel, news);
  root.append(place);

  let frame: HTMLIFrameElement | undefined;
  let stage: Stage = 'opening';
  let isOpen = false;
  const covering = matchMedia(COVERING);

  function show(shown: boolean): void {
    isOpen = shown;
    place.classList.toggle('open', shown);
    describe(opener, { 'aria-expanded': String(shown) });
    remember(shown);
    if (shown) {
      tellOfNews(false);
      if (!frame) load();
    }
  }

  function close(): void {
    const isWithUs = root.activeElement !== null;
    show(false);
    if (isWithUs) opener.focus();
  }

  /** Takes the student to the chat or, until it is there, to where it will be. */
  function enter(): void {
    if (stage !== 'ready') {
      panel.focus();
      return;
    }
    frame?.focus();
    frame?.contentWindow?.postMessage({ kortlotsen: 'opened' }, home.origin);
  }

  function load(): void {
    const loading = make('iframe', {
      src: home.href,
      title: texts.chat,
      allow: '',
      referrerPolicy: 'strict-origin-when-cross-origin',
    });
    const giveUp = () => {
      if (frame === loading && stage === 'opening') reach('missing');
    };
    const patience = setTimeout(giveUp, PATIENCE.loading);
    // A frame that may not be shown here loads too; what it loads says nothing.
    loading.addEventListener('load', () => {
      clearTimeout(patience);
      setTimeout(giveUp, PATIENCE.loaded);
    });
    frame?.remove();
    frame = loading;
    reach('opening');
    closer.before(loading);
  }

  /** Whoever is in the panel stays there, though what had the focus may be gone. */
  function reach(reached: Stage): void {
    const isInPanel = isOpen && panel.contains(root.activeElement);
    stage = reached;
    panel.dataset.stage = reached;
    told.textContent = { opening: texts.opening, ready: '', missing: texts.missing }[reached];
    if (isInPanel) enter();
  }

  function tellOfNews(isUnread: boolean): void {
    if (place.classList.contains('unread') === isUnread) return;
    place.classList.toggle('unread', isUnread);
    news.textContent = isUnread ? texts.answered : '';
    if (isUnread) describe(opener, { 'aria-label': `${label}, ${texts.unread}` });
    else opener.removeAttribute('aria-label');
  }

  opener.addEventListener('click', () => {
    if (isOpen) close();
    else {
      show(true);
      enter();
    }
  });
  closer.addEventListener('click', close);
  retrier.addEventListener('click', load);
  place.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !isOpen) return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  // What is behind a chat that covers the screen is not seen, and so may not have the focus.
  document.addEventListener('focusin', ({ target }) => {
    if (isOpen && covering.matches && target !== host) close();
  });
  addEventListener('message', ({ source, origin, data }: MessageEvent<unknown>) => {
    if (source !== frame?.contentWindow || origin !== home.origin) return;
    const word = wordOf(data);
    if (word === 'ready' && stage !== 'ready') reach('ready');
    if (word === 'close' && isOpen) close();
    if (word === 'unread' && !isOpen) tellOfNews(true);
    if (word === 'read') tellOfNews(false);
  });
  if (isRemembered()) show(true);
}

function wordOf(message: unknown): (typeof WORDS)[number] | undefined {
  if (typeof message !== 'object' || message === null || !('kortlotsen' in message)) return undefined;
  return WORDS.find((word) => word === message.kortlotsen);
}

/** The page may be one where the browser keeps nothing; then the chat is closed on the next. */
function remember(isOpen: boolean): void {
  try {
    if (isOpen) sessionStorage.setItem(REMEMBERED, 'yes');
    else sessionStorage.removeItem(REMEMBERED);
  } catch {
    // As above.
  }
}

function isRemembered(): boolean {
  try {
    return sessionStorage.getItem(REMEMBERED) !== null;
  } catch {
    return false;
  }
}

function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]>,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function describe(element: Element, attributes: Record<string, string>): void {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

/** One stroke on a ground of 24 × 24. */
function icon(stroke: string): SVGElement {
  const [svg, path] = [drawn('svg'), drawn('path')];
  describe(svg, { viewBox: '0 0 24 24', width: '24', height: '24', 'aria-hidden': 'true' });
  describe(path, { d: stroke });
  svg.append(path);
  return svg;
}

function drawn(name: 'svg' | 'path'): SVGElement {
  return document.createElementNS('http://www.w3.org/2000/svg', name);
}
