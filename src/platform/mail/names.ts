/** Anything a mail program makes a link of: an address of the web or of a mailbox, or what looks like a host. */
const linkLike = /:\/\/|\bwww\.|@|[\p{L}\p{N}-]\.\p{L}{2,}/iu;

/**
 * A name that somebody chose (of a team, a project, a person), for a mail to somebody else: control characters and
 * whatever bends text are spaces, and a name that a mail program would make a link of is left out for `otherwise`. So
 * nobody writes letters of their own by way of us.
 */
export function nameInMail(name: string, otherwise: string): string {
  const plain = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return plain === '' || linkLike.test(plain) ? otherwise : plain;
}
