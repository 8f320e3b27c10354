/**
 * A visit for a calendar: a file with where, when and what to bring.
 *
 * Its address names a visit and a drop-in, and nothing else. The words come
 * from the content and the times from our own calendar, so whoever makes up an
 * address gets what is true, or that there is no such time.
 */
import ical, { ICalCalendarMethod, ICalEventTransparency } from 'ical-generator';
import type { Next, Request, Response, Server } from 'restify';
import { z } from 'zod';
import type { Day } from '../../dialogs/card-validity.ts';
import type { Opening } from '../../dialogs/vocabulary.ts';
import { type Calendar, timeOf } from '../calendar.ts';
import type { Content, VisitNote } from '../content.ts';
import { escaped, sendPage } from './page.ts';

export type VisitsWorld = {
  content: Pick<Content, 'label' | 'noteOf' | 'visits'>;
  calendar: Calendar;
  now: () => Date;
};

const PATH = '/visits';

const Params = z.object({
  name: z.string(),
  /** Of this century: the calendar reckons each year that is asked for, and remembers it. */
  day: z.iso
    .date()
    .startsWith('20')
    .transform((day) => day as Day),
  from: z.string().regex(/^\d{1,2}:\d{2}$/),
});
type Params = z.infer<typeof Params>;

/** The same visit at the same time is the same address. */
export const visitLink = (origin: string, visit: string, { day, from }: Opening): string =>
  `${origin}${PATH}/${visit}/${day}/${from}`;

export function mountVisits(server: Server, { content, calendar, now }: VisitsWorld): void {
  const openingOf = ({ name, day, from }: Params): Opening | undefined => {
    const time = content.visits.get(name)?.time;
    if (time === undefined || time === 'booked') return undefined;
    const slots = calendar.momentAt(now(), day).asked?.slots[time] ?? [];
    const slot = slots.find((each) => each.confirmed && each.from === from);
    return slot && { day, from, to: slot.to };
  };

  const fileFor = (params: Params): string | undefined => {
    const [visit, opening] = [content.visits.get(params.name), openingOf(params)];
    const note = visit && opening && content.noteOf(visit, opening);
    return note && calendarFile(params.name, opening, note);
  };

  server.get(`${PATH}/:name/:day/:from`, (req: Request, res: Response, next: Next) => {
    const { data: params } = Params.safeParse(req.params);
    const file = params && fileFor(params);
    if (file === undefined) {
      sendGone(res, content);
    } else {
      res.sendRaw(200, file, {
        'Content-Type': 'text/calendar; charset=utf-8',
        'Content-Disposition': 'attachment; filename="besok.ics"',
      });
    }
    next(false);
  });
}

function sendGone(res: Response, content: Pick<Content, 'label'>): void {
  const [title, text, link] = [
    content.label('visit/gone'),
    content.label('visit/askAgain'),
    content.label('web-chat/toChat'),
  ];
  const body = `<h1>${escaped(title)}</h1>\n<p>${escaped(text)}</p>\n<p><a href="/">${escaped(link)}</a></p>`;
  sendPage(res, { title, status: 404, body });
}

/** Times are in UTC, which every calendar reads alike, summer and winter. Nothing in it is of when it was fetched. */
function calendarFile(name: string, { day, from, to }: Opening, { title, place, text, updated }: VisitNote): string {
  const calendar = ical({
    prodId: { company: 'Kortlotsen', product: 'visits', language: 'SV' },
    method: ICalCalendarMethod.PUBLISH,
  });
  calendar.createEvent({
    id: `${name}-${day}-${from.replace(':', '')}@kortlotsen`,
    start: inStockholm(day, from),
    end: inStockholm(day, to),
    stamp: new Date(updated),
    summary: title,
    location: place,
    description: text,
    // One drops in during it: the time is not taken.
    transparency: ICalEventTransparency.TRANSPARENT,
  });
  return `${calendar.toString()}\r\n`;
}

function inStockholm(day: Day, time: string): Date {
  const at = timeOf(`${day}T${time.padStart(5, '0')}`);
  if (!at) throw new Error(`${day} ${time} is no time`);
  return at;
}
