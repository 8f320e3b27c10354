/** Who a request is from. */
import type { Request } from 'restify';

/** A browser tells which page a request was made by. What is no browser, nobody can be lured into using. */
export function isFromOurPage(req: Request, publicOrigin: string): boolean {
  const site = req.header('sec-fetch-site');
  if (site) return site === 'same-origin' || site === 'none';
  const origin = req.header('origin');
  return !origin || origin === publicOrigin || (URL.canParse(origin) && new URL(origin).host === req.header('host'));
}
