// The session that the address names.
() => [new URLSearchParams(location.search).get('session') || '']
