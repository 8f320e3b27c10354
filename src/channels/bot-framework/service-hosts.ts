/** Where replies may be sent: to a host by its name, or to any under `.domain`. */
export const isAllowedHost = (hostname: string, hosts: readonly string[]): boolean =>
  hosts.some((host) => (host.startsWith('.') ? hostname.endsWith(host) : hostname === host));
