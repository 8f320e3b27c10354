/**
 * A card, shown with nothing but HTML: its texts, its facts, and where its
 * buttons lead. In a browser with scripts, an Adaptive Card is drawn in its
 * place by the library that knows them all, which is fetched when the first
 * one comes.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as z from 'zod/mini';
import type { Attachment } from './activity.ts';
import { blocksOf } from './markdown.tsx';

const HERO = 'application/vnd.microsoft.card.hero';
const ADAPTIVE = 'application/vnd.microsoft.card.adaptive';

/** Draws a card into an element. False, if there is nothing of it to be seen. */
export type DrawCard = (card: unknown, into: HTMLElement) => Promise<boolean>;

/** What is told of a card in plain words. */
export type Part =
  | { kind: 'title' | 'text'; text: string }
  | { kind: 'facts'; facts: { title: string; value: string }[] }
  | { kind: 'link'; title: string; url: string };

const Address = z.string().check(z.regex(/^https?:\/\//i));
const Hero = z.object({
  title: z.optional(z.string()),
  text: z.optional(z.string()),
  buttons: z.optional(z.array(z.unknown())),
});
const HeroButton = z.object({ title: z.string(), value: Address });
const Adaptive = z.object({
  body: z.optional(z.array(z.unknown())),
  actions: z.optional(z.array(z.unknown())),
  fallbackText: z.optional(z.string()),
});
const TextBlock = z.object({ type: z.literal('TextBlock'), text: z.string(), weight: z.optional(z.string()) });
const FactSet = z.object({
  type: z.literal('FactSet'),
  facts: z.array(z.object({ title: z.string(), value: z.string() })),
});
const Container = z.object({ type: z.literal('Container'), items: z.array(z.unknown()) });
const OpenUrl = z.object({ type: z.literal('Action.OpenUrl'), title: z.string(), url: Address });

/** What cannot be told so is left out: a picture, or a question that is answered in the card. */
export function partsOf({ contentType, content }: Attachment): Part[] {
  if (contentType === HERO) return partsOfHero(content);
  if (contentType !== ADAPTIVE) return [];
  const { data: card } = z.safeParse(Adaptive, content);
  if (!card) return [];
  const parts = [...(card.body ?? []).flatMap(partsOfElement), ...(card.actions ?? []).flatMap(partsOfAction)];
  if (parts.length > 0 || card.fallbackText === undefined) return parts;
  return [{ kind: 'text', text: card.fallbackText }];
}

function partsOfHero(content: unknown): Part[] {
  const { data: hero } = z.safeParse(Hero, content);
  if (!hero) return [];
  const { title, text, buttons = [] } = hero;
  const links = buttons.flatMap((button) => z.safeParse(HeroButton, button).data ?? []);
  return [
    ...(title === undefined ? [] : [{ kind: 'title', text: title } as const]),
    ...(text === undefined ? [] : [{ kind: 'text', text } as const]),
    ...links.map(({ title: name, value }) => ({ kind: 'link', title: name, url: value }) as const),
  ];
}

function partsOfElement(element: unknown): Part[] {
  const { data: block } = z.safeParse(TextBlock, element);
  if (block) return [{ kind: block.weight === 'Bolder' ? 'title' : 'text', text: block.text }];
  const { data: set } = z.safeParse(FactSet, element);
  if (set) return [{ kind: 'facts', facts: set.facts }];
  return (z.safeParse(Container, element).data?.items ?? []).flatMap(partsOfElement);
}

const partsOfAction = (action: unknown): Part[] => {
  const { data: link } = z.safeParse(OpenUrl, action);
  return link ? [{ kind: 'link', title: link.title, url: link.url }] : [];
};

type CardProps = { attachment: Attachment; newTab: string; draw: DrawCard | undefined };

export function Card({ attachment, newTab, draw }: CardProps) {
  const parts = partsOf(attachment);
  const shown = parts.map((part) => <PlainPart part={part} newTab={newTab} />);
  if (attachment.contentType === HERO) return parts.length > 0 ? <div class="links">{shown}</div> : null;
  if (attachment.contentType !== ADAPTIVE) return null;
  return (
    <Drawn card={attachment.content} draw={draw}>
      {shown}
    </Drawn>
  );
}

type DrawnProps = { card: unknown; draw: DrawCard | undefined; children: ComponentChildren };

function Drawn({ card, draw, children }: DrawnProps) {
  const place = useRef<HTMLDivElement>(null);
  const [isDrawn, setDrawn] = useState(false);
  const written = JSON.stringify(card);
  useEffect(() => {
    const into = place.current;
    if (!draw || !into) return;
    draw(JSON.parse(written), into).then(setDrawn, () => {
      // It stays as it is without scripts.
    });
  }, [draw, written]);
  return (
    <div class="card">
      <div ref={place} />
      {!isDrawn && children}
    </div>
  );
}

function PlainPart({ part, newTab }: { part: Part; newTab: string }) {
  switch (part.kind) {
    case 'title':
      return <p class="card-title">{part.text}</p>;
    case 'text':
      return <>{blocksOf(part.text, newTab).map(({ shown }) => shown)}</>;
    case 'facts':
      return (
        <dl>
          {part.facts.map(({ title, value }) => (
            <div>
              <dt>{title}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      );
    case 'link':
      return (
        <a class="card-link" href={part.url} target="_blank" rel="noopener noreferrer">
          {part.title}
          <span class="unseen"> {newTab}</span>
        </a>
      );
  }
}
