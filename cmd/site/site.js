"use strict";
// The search: every word must stand somewhere in an entry; a heading counts for more than text.
const ask = document.getElementById("ask");
const found = document.getElementById("found");

function score(entry, words) {
	const heading = entry.heading.toLowerCase();
	const text = entry.text.toLowerCase();
	let sum = 0;
	for (const word of words) {
		if (heading === word) sum += 100;
		else if (heading.includes(word)) sum += 20;
		else if (entry.page.toLowerCase().includes(word)) sum += 5;
		else if (text.includes(word)) sum += 1;
		else return 0;
	}
	return sum;
}

// around is the part of a text that holds the first word.
function around(text, word) {
	const at = Math.max(0, text.toLowerCase().indexOf(word) - 40);
	return (at > 0 ? "… " : "") + text.slice(at, at + 140);
}

function search() {
	const words = ask.value.toLowerCase().split(/\s+/).filter(Boolean);
	found.replaceChildren();
	const best = words.length === 0 ? [] : entries
		.map((entry) => ({ entry, score: score(entry, words) }))
		.filter((hit) => hit.score > 0)
		.sort((a, b) => b.score - a.score)
		.slice(0, 12);
	for (const { entry } of best) {
		const a = document.createElement("a");
		const b = document.createElement("b");
		const small = document.createElement("small");
		a.href = entry.to;
		b.textContent = entry.heading;
		small.textContent = entry.page + " · " + around(entry.text, words[0]);
		a.append(b, small);
		const li = document.createElement("li");
		li.append(a);
		found.append(li);
	}
	if (words.length > 0 && best.length === 0) {
		const li = document.createElement("li");
		li.textContent = "Nothing has all of these words.";
		found.append(li);
	}
	found.hidden = words.length === 0;
}

ask.addEventListener("input", search);
found.addEventListener("click", () => { found.hidden = true; });
document.addEventListener("keydown", (event) => {
	const links = [...found.querySelectorAll("a")];
	const at = links.indexOf(document.activeElement);
	if (event.key === "/" && document.activeElement !== ask) {
		event.preventDefault();
		ask.focus();
	} else if (event.key === "Escape") {
		found.hidden = true;
		ask.blur();
	} else if (event.key === "ArrowDown" && !found.hidden && links.length > 0) {
		event.preventDefault();
		links[Math.min(at + 1, links.length - 1)].focus();
	} else if (event.key === "ArrowUp" && at >= 0) {
		event.preventDefault();
		(links[at - 1] ?? ask).focus();
	} else if (event.key === "Enter" && document.activeElement === ask && links.length > 0) {
		links[0].click();
	}
});
const asked = new URLSearchParams(location.search).get("q");
if (asked) {
	ask.value = asked;
	search();
}
