/** The texts of our pages that the content is to have. */

/** What Web Chat lacks in its own Swedish, by its own names. */
export const WEB_CHAT_STRINGS = [
  'ACTIVITY_BOT_SAID_ALT',
  'ACTIVITY_BOT_ATTACHED_ALT',
  'TEXT_INPUT_ATTACHMENTS_FEW',
  'TEXT_INPUT_ATTACHMENTS_MANY',
  'TEXT_INPUT_ATTACHMENTS_ONE',
  'TEXT_INPUT_ATTACHMENTS_OTHER',
  'TEXT_INPUT_ATTACHMENTS_TWO',
  'TEXT_INPUT_DROP_ZONE',
  'TEXT_INPUT_LENGTH_EXCEEDED_ALT',
  'TEXT_INPUT_TELEPHONE_KEYPAD_BUTTON_ALT',
  'TELEPHONE_KEYPAD_INPUT_MESSAGE',
];
const STOCK_PAGE = [
  'title',
  'intro',
  'dated',
  'chat',
  'leave',
  'loading',
  'noScript',
  'offline',
  'online',
  'notFound',
  'toChat',
];

export const stockPageLabels = [...STOCK_PAGE, ...WEB_CHAT_STRINGS].map((name) => `web-chat/${name}`);

/** What a client of the web chat that ends its conversation is taken to have written. */
export const directLineLabels = ['web-chat/signOutWish'];

const SIGN_IN_PAGES = [
  'code',
  'whereToType',
  'whoseCode',
  'notSignedIn',
  'expired',
  'denied',
  'insufficient',
  'refused',
  'unreachable',
  'failed',
];
/** Of the provider that one tries the assistant with. */
const DEMONSTRATION_PAGE = ['title', 'intro', 'holders'];

export const signInLabels = [...SIGN_IN_PAGES, ...DEMONSTRATION_PAGE].map((name) => `sign-in/${name}`);
