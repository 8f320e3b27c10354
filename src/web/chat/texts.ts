/** The words around a conversation, as `content/chat/lines.yaml` has them. */
export const CHAT_TEXTS = [
  'title',
  'robot',
  'inQueue',
  'human',
  'desk',
  'humansTakeTime',
  'intro',
  'about',
  'log',
  'you',
  'bot',
  'box',
  'send',
  'suggestions',
  'rules',
  'rulesFull',
  'newTab',
  'waiting',
  'slow',
  'notAnsweredYet',
  'showAnswer',
  'offline',
  'online',
  'unsent',
  'tooLong',
  'busy',
  'begunAnew',
  'menu',
  'download',
  'signOut',
  'signOutWish',
  'forgetMe',
  'forgetMeWish',
  'startOver',
  'contact',
  'contactWish',
  'accessibility',
  'records',
  'close',
] as const;

/** And how old the texts are that answers are founded on, once for each source. */
export const chatLabels = [...CHAT_TEXTS, 'dated', 'wayInText', 'wayInOpen', 'wayInIsGone', 'wayInElsewhere'].map(
  (name) => `chat/${name}`,
);

export type Texts = Record<(typeof CHAT_TEXTS)[number], string>;
