// A session of an editor with a server, through the libraries that VS Code itself talks with:
// node session.mjs DIRECTORY SERVER [ARGUMENT...]
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import * as lsp from 'vscode-languageserver-protocol/node'

const [dir, server, ...args] = process.argv.slice(2)
const child = spawn(server, args, { stdio: ['pipe', 'pipe', 'inherit'] })
const ended = new Promise((resolve) => child.on('exit', resolve))
const connection = lsp.createProtocolConnection(new lsp.StreamMessageReader(child.stdout), new lsp.StreamMessageWriter(child.stdin))
connection.onError(([error]) => assert.fail(error))

const uri = pathToFileURL(join(dir, 'paris with blank', 'cluster.cue')).toString()
const waiting = []
connection.onNotification(lsp.PublishDiagnosticsNotification.type, (p) => {
	assert.equal(p.uri, uri)
	waiting.splice(0).forEach((take) => take(p))
})
const shown = async (version) => {
	for (;;) {
		const p = await new Promise((take) => waiting.push(take))
		if (p.version === version) return p.diagnostics
	}
}
connection.listen()

const { capabilities, serverInfo } = await connection.sendRequest(lsp.InitializeRequest.type, {
	processId: process.pid, rootUri: null, capabilities: { textDocument: { publishDiagnostics: { versionSupport: true } } },
})
assert.equal(serverInfo.name, 'skep')
assert.equal(capabilities.textDocumentSync.change, lsp.TextDocumentSyncKind.Full)
assert.equal(capabilities.positionEncoding, lsp.PositionEncodingKind.UTF16)
await connection.sendNotification(lsp.InitializedNotification.type, {})

let text = `package cluster

import "skep.dev/schema"

cluster: schema.#Cluster
cluster: {
	name: "paris", kind: "swarm", domain: "paris.example.org"
	nodes: {
		m1: {address: "10.0.0.11", role: "manager"}
		m2: {address: "10.0.0.12", role: "manager"}
		m3: {address: "10.0.0.13", role: "manager"}
	}
	access: management: ["192.0.2.0/28"]
	services: nfs: {server: "m4"} // 🐝
}
`
let document = lsp.TextDocumentItem.create(uri, 'cue', 1, text)
let first = shown(1)
await connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, { textDocument: document })
const [found, ...more] = await first
assert.deepEqual(more, [])
assert.deepEqual(found, {
	range: { start: { line: 13, character: 25 }, end: { line: 13, character: 29 } },
	severity: lsp.DiagnosticSeverity.Error, code: 'not-a-node', source: 'skep', message: found.message,
})

const actions = await connection.sendRequest(lsp.CodeActionRequest.type, {
	textDocument: { uri }, range: found.range, context: { diagnostics: [found], only: [lsp.CodeActionKind.QuickFix] },
})
assert.equal(actions.length, 1)
assert.equal(actions[0].kind, lsp.CodeActionKind.QuickFix)
assert.deepEqual(actions[0].diagnostics, [found])
const [edit] = actions[0].edit.changes[uri]
const lines = text.split('\n')
const { start, end } = edit.range
assert.equal(start.line, end.line)
lines[start.line] = lines[start.line].slice(0, start.character) + edit.newText + lines[start.line].slice(end.character)
text = lines.join('\n')

let second = shown(2)
await connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, { textDocument: { uri, version: 2 }, contentChanges: [{ text }] })
assert.deepEqual(await second, [])

const told = await connection.sendRequest(lsp.HoverRequest.type, { textDocument: { uri }, position: { line: 13, character: 18 } })
assert.equal(told.contents.kind, lsp.MarkupKind.PlainText)
assert.match(told.contents.value, /^services\.nfs\.server\n/)
assert.equal(await connection.sendRequest(lsp.HoverRequest.type, { textDocument: { uri }, position: { line: 0, character: 2 } }), null)
await assert.rejects(connection.sendRequest(lsp.DefinitionRequest.type, { textDocument: { uri }, position: start }), (e) => e.code === lsp.ErrorCodes.MethodNotFound)

await connection.sendRequest(lsp.ShutdownRequest.type)
await connection.sendNotification(lsp.ExitNotification.type)
assert.equal(await ended, 0)
console.log('the session is over')
