/** Whether a path stays below the prefix it is put under: relative, plain segments, no `.` or `..`. */
export function isSafeRelativePath(path: string): boolean {
  return path.length <= 1024 && path.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..');
}
