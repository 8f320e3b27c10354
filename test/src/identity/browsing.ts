/** A browser, as far as signing in needs one: it keeps cookies, and is led from page to page by hand. */
export type Browser = {
  open: (url: string | URL) => Promise<Visited>;
  submit: (url: string, form: Record<string, string>) => Promise<Visited>;
  cookies: () => readonly string[];
};
export type Visited = { url: string; status: number; location: string; headers: Headers; text: string };

type Cookie = { name: string; value: string; path: string };

export function openBrowser(): Browser {
  let jar: Cookie[] = [];
  const keep = (header: string) => {
    const [pair = '', ...attributes] = header.split(/;\s*/);
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    const path = attributes.find((each) => /^path=/i.test(each))?.slice(5) ?? '/';
    jar = jar.filter((cookie) => cookie.name !== name || cookie.path !== path);
    if (value && !attributes.some((each) => /^(max-age=0|expires=thu, 01 jan 1970)/i.test(each)))
      jar.push({ name, value, path });
  };
  const visit = async (url: string | URL, init: Pick<RequestInit, 'method' | 'body'> = {}): Promise<Visited> => {
    const { pathname } = new URL(url);
    const cookie = jar
      .filter(({ path }) => pathname.startsWith(path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
    response.headers.getSetCookie().forEach(keep);
    const location = response.headers.get('location');
    return {
      url: String(url),
      status: response.status,
      location: location === null ? '' : new URL(location, url).href,
      headers: response.headers,
      text: await response.text(),
    };
  };
  return {
    open: (url) => visit(url),
    submit: (url, form) => visit(url, { method: 'POST', body: new URLSearchParams(form) }),
    cookies: () => jar.map(({ name }) => name),
  };
}
