/**
 * Markdown as elements. Nothing of it is ever read as HTML, and a link leads
 * nowhere but to the web, so there is nothing in a text that could be run.
 */
import { lexer, type Token, type Tokens } from 'marked';
import type { ComponentChildren } from 'preact';

/** A rule that a text is founded on: where it is cited, its address is `cite:R25`. */
const CITE = /^cite:(.+)$/;

/** `words` are those of a paragraph, to be put elsewhere than in one. */
export type Block = { shown: ComponentChildren; words: ComponentChildren; cites: string[] };

/** The paragraphs and lists of a text, and the rules that each of them cites. */
export function blocksOf(text: string, newTab: string): Block[] {
  return lexer(text).flatMap((token, key) => {
    const shown = block(token, key, newTab);
    return shown === undefined ? [] : [{ shown, words: inlines(token, newTab), cites: citesIn(token) }];
  });
}

function citesIn(token: Token): string[] {
  const cited = token.type === 'link' ? CITE.exec(String(token.href))?.[1] : undefined;
  return cited === undefined ? childrenOf(token).flatMap(citesIn) : [cited];
}

const childrenOf = (token: Token): Token[] => ('tokens' in token ? (token.tokens ?? []) : []);

function block(token: Token, key: number, newTab: string): ComponentChildren {
  switch (token.type) {
    case 'space':
    case 'def':
      return undefined;
    case 'list': {
      const { items, ordered } = token as Tokens.List;
      const List = ordered ? 'ol' : 'ul';
      return (
        <List key={key}>
          {items.map((item, index) => (
            <li key={index}>{item.tokens.map((each, at) => inner(each, at, newTab))}</li>
          ))}
        </List>
      );
    }
    default:
      return <p key={key}>{inlines(token, newTab)}</p>;
  }
}

/** Within a list item: a line of text needs no paragraph of its own. */
const inner = (token: Token, key: number, newTab: string): ComponentChildren =>
  token.type === 'text' ? inlines(token, newTab) : block(token, key, newTab);

const inlines = (token: Token, newTab: string): ComponentChildren => {
  const children = childrenOf(token);
  return children.length > 0 ? children.map((child, key) => inline(child, key, newTab)) : plain(token);
};

function inline(token: Token, key: number, newTab: string): ComponentChildren {
  switch (token.type) {
    case 'strong':
      return <strong key={key}>{inlines(token, newTab)}</strong>;
    case 'em':
      return <em key={key}>{inlines(token, newTab)}</em>;
    case 'br':
      return <br key={key} />;
    case 'link': {
      const href = String(token.href);
      if (CITE.test(href)) return undefined;
      if (!/^(https?|mailto|tel):/i.test(href)) return inlines(token, newTab);
      return (
        <a key={key} href={href} target="_blank" rel="noopener noreferrer">
          {inlines(token, newTab)}
          <span class="unseen"> {newTab}</span>
        </a>
      );
    }
    default:
      return inlines(token, newTab);
  }
}

/** As it was written, for what is not one of the above; HTML among that. */
const plain = (token: Token): string =>
  token.type === 'escape' || token.type === 'codespan' ? String(token.text) : token.raw;
