export const missing = 'there is no such file';

/** Why the system refused, in a few words. */
export function reasonOf(cause: unknown): string {
  switch (codeOf(cause)) {
    case 'ENOENT':
      return missing;
    case 'ENOTDIR':
      return 'a part of its path is not a folder';
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
    case 'EPERM':
      return 'permission was denied';
    case 'EROFS':
      return 'the file system is read-only';
    case 'ENOSPC':
      return 'the disk is full';
    case 'EDQUOT':
      return 'the disk quota is used up';
    case 'EFBIG':
      return 'it would be larger than the system allows';
    case 'EIO':
      return 'the disk reports an error';
    case 'ENAMETOOLONG':
      return 'its name is longer than the file system allows';
    case 'ELOOP':
      return 'its links form a loop';
    case 'EPIPE':
      return 'its reader has closed it';
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open';
    default:
      return cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
  }
}

/** The system's code, such as ENOENT. */
export function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
