/// <reference lib="dom" />
/** Adaptive Cards, drawn by Microsoft's own library. It is fetched when the first one comes. */
import { AdaptiveCard, HostConfig, OpenUrlAction } from 'adaptivecards';

const host = new HostConfig({
  fontFamily: 'inherit',
  fontSizes: { small: 14, default: 16, medium: 16, large: 18, extraLarge: 20 },
  spacing: { small: 4, default: 8, medium: 12, large: 16, extraLarge: 20, padding: 0 },
  actions: { actionsOrientation: 'vertical', actionAlignment: 'left', spacing: 'default' },
  factSet: { title: { weight: 'default', wrap: true, maxWidth: 120 }, value: { wrap: true }, spacing: 12 },
  textBlock: { headingLevel: 3 },
});

/**
 * Draws a card into an element, in place of what is there. False, if there is nothing of it to be seen. `toHtml` makes
 * of a text the same as outside of cards: nothing that could run.
 */
export function drawAdaptiveCard(card: unknown, into: HTMLElement, toHtml: (text: string) => string): boolean {
  AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = toHtml(text);
    result.didProcess = true;
  };
  const adaptive = new AdaptiveCard();
  adaptive.hostConfig = host;
  adaptive.onExecuteAction = (action) => {
    if (!(action instanceof OpenUrlAction) || !/^https?:/i.test(action.url ?? '')) return;
    window.open(action.url, '_blank', 'noopener,noreferrer');
  };
  adaptive.parse(card);
  const drawn = adaptive.render();
  if (!drawn) return false;
  into.replaceChildren(drawn);
  return true;
}
