"""Asking and answering over a channel, alike in both directions and nested to any reasonable depth.

Either side may ask the other to perform an operation; while it waits for the answer it answers what
the other side asks meanwhile. A question carries operands by value; its answer carries the result,
or the exception, and what the operation did besides: in-place changes of operands, the global
random states, what was printed, which of the names that the other side remembers are bound anew.

On the wire a question is [ASK, serial, operation, seconds, released numbers, random states, names bound anew, names of
keywords, operand …] and an answer [verdict, serial, random states, names bound anew, outputs, result, change …]. Only
operands, outputs, results and changes are values; the rest is plain.
"""

from __future__ import annotations

import abc
import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from autograder.course.errors import KernelError, WireError
from autograder.kernel.arguments import Given, make_change
from autograder.kernel.channel import Channel
from autograder.kernel.decoder import Decoder
from autograder.kernel.encoder import Encoder
from autograder.kernel.randomness import GlobalRandom
from autograder.kernel.types.named_tuples import NamedTuples
from autograder.kernel.wire import CannotCross

ASK, RETURNED, RAISED, REFUSED = range(4)
# Each level costs frames on both sides: beyond, Python's own stack would end first.
MAX_NESTING: Final = 32
MAX_SENTENCE: Final = 1000
_QUESTION_HEAD: Final = [int, int, str, float, list]
_BEFORE_OPERANDS: Final = 8
_BEFORE_CHANGES: Final = 6


class CannotReturn(CannotCross):
    """The result of an operation has no form on the wire."""


class Exchange(abc.ABC):
    """One side of a conversation; its two subclasses are the worker in the jail and the kernel
    outside.

    Parameters
    ----------
    channel : Channel
        The connection, which belongs to this object from now on.

    Attributes
    ----------
    answers_with : type
        Exceptions that are an answer when an operation raises them; any other ends the
        conversation.
    in_jail : bool
        Whether this side is the one in the jail.
    changed_operands : bool
        Whether operands of the last question may be other than they were before.
    tell_change : callable or None
        Called with each operand that the other side has changed.
    """

    answers_with: type[BaseException] = Exception
    in_jail = False

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.random = GlobalRandom()
        self.changed_operands = False
        self.tell_change: Callable[[object], None] | None = None
        self._named_tuples = NamedTuples()
        self._serial = 0
        self._nesting = 0

    @abc.abstractmethod
    def refer(self, value: object) -> list[Any]:
        """Return the node of a reference to a value that does not cross by value, or raise
        CannotCross.
        """

    @abc.abstractmethod
    def resolve(self, tag: str, fields: list[Any]) -> object:
        """Follow a reference made by the other side, or raise WireError."""

    @abc.abstractmethod
    def perform(
        self, operation: str, operands: tuple[Any, ...], kwargs: dict[str, Any], seconds: float
    ) -> Any:
        """Do what the other side asks."""

    @abc.abstractmethod
    def describe(self, error: BaseException) -> list[Any]:
        """Return an exception in plain values."""

    @abc.abstractmethod
    def remake(self, description: object) -> BaseException:
        """Return the exception that a description of the other side describes."""

    def outputs(self) -> list[Any]:
        """Return what the operation just performed printed and displayed."""
        return []

    @abc.abstractmethod
    def hear(self, outputs: object) -> None:
        """Take what the operation just answered printed and displayed on the other side."""

    def released(self) -> list[int]:
        """Return the numbers of references of the other side that are not needed here any more."""
        return []

    @abc.abstractmethod
    def release(self, numbers: list[int]) -> None:
        """Let go of references that the other side does not need any more."""

    def find_rebound_names(self) -> list[str]:
        """Return the names remembered on the other side that stand for something else now."""
        return []

    @abc.abstractmethod
    def forget_names(self, names: object) -> None:
        """Remember these names no more: the other side says that they stand for something else."""

    def _encoder(self, given: Sequence[object] = ()) -> Encoder:
        return Encoder(self.refer, given, to_jail=not self.in_jail, named_tuples=self._named_tuples)

    def ask(
        self,
        operation: str,
        operands: Sequence[Any],
        kwargs: Mapping[str, Any] | None = None,
        *,
        seconds: float = 0.0,
        deadline: float | None = None,
    ) -> Any:
        """Have the other side perform an operation; return its result.

        Raises
        ------
        CannotCross
            If an operand, or the result (CannotReturn), has no form on the wire.
        Exception
            What the operation raised.
        KernelError
            If the conversation broke.
        """
        if self._nesting >= MAX_NESTING:
            raise RecursionError(
                "calls between the test and the student's functions are nested too deeply"
            )
        self.changed_operands = False
        self._serial += 1
        serial = self._serial
        encoder = self._encoder()
        question = [ASK, serial, operation, seconds, self.released()]
        question += [self.random.tell_news(), self.find_rebound_names(), list(kwargs or ())]
        try:
            for operand in operands:
                question.append(encoder.lower(operand))
            for operand in (kwargs or {}).values():
                question.append(encoder.lower(operand))
            encoded = encoder.pack(question)
        except CannotCross:
            # The news were told to a message that is not sent.
            self.random.forget_agreement()
            raise
        self.channel.send(*encoded, deadline)
        while True:
            decoder = Decoder(self.resolve, encoder.objects, named_tuples=self._named_tuples)
            skeleton, bulk = self.channel.receive(deadline)
            answer = decoder.read(skeleton, bulk, functools.partial(self._read_message, decoder))
            if answer is not None:
                return self._conclude(answer, serial, encoder.objects)
            began = time.monotonic()
            self._answer(decoder, deadline)
            # A function of ours that was called back may have changed what it shares with them.
            self.changed_operands = True
            if deadline is not None:
                # The time that this side took itself is not the other's.
                deadline = self.later(deadline, time.monotonic() - began)

    def later(self, deadline: float, seconds: float) -> float:
        """Return a deadline put off by the time this side needed itself."""
        return deadline + seconds

    def _read_message(self, decoder: Decoder, message: Any) -> list[Any] | None:
        """Return an answer with its values built; None for a question, which waits in the
        decoder.
        """
        if type(message) is list and message and message[0] == ASK and type(message[0]) is int:
            decoder.question = self._read_question(message, decoder)
            return None
        if type(message) is not list or len(message) < _BEFORE_CHANGES:
            raise WireError("malformed message (an answer)")
        if type(message[0]) is not int or type(message[1]) is not int:
            raise WireError("malformed message (an answer)")
        # In the order in which the other side lowered them: objects are numbered as they come.
        outputs = decoder.build(message[4])
        result = decoder.build(message[5])
        changes = []
        for change in message[_BEFORE_CHANGES:]:
            if type(change) is not list or len(change) != 2:
                raise WireError("malformed message (a change)")
            changes.append((change[0], decoder.build(change[1])))
        return [*message[:4], outputs, result, changes]

    def _read_question(self, message: list[Any], decoder: Decoder) -> list[Any]:
        """Return a question with its operands built."""
        head = list(map(type, message[:5]))
        if head != _QUESTION_HEAD or len(message) < _BEFORE_OPERANDS:
            raise WireError("malformed message (a question)")
        keywords = message[7]
        operands = [decoder.build(node) for node in message[_BEFORE_OPERANDS:]]
        if type(keywords) is not list or len(keywords) > len(operands):
            raise WireError("malformed message (keywords)")
        positional = len(operands) - len(keywords)
        kwargs = {}
        for name, operand in zip(keywords, operands[positional:], strict=True):
            if type(name) is not str:
                raise WireError("malformed message (a keyword)")
            kwargs[name] = operand
        return [*message[1:7], tuple(operands[:positional]), kwargs]

    def _conclude(self, answer: list[Any], serial: int, objects: list[object]) -> Any:
        verdict, number, news, names, outputs, payload, changes = answer
        if number != serial:
            raise WireError("an answer to something that was not asked")
        # Before an error is raised: what was printed, drawn at random and changed until then
        # stays so, as in one process.
        self.hear(outputs)
        self.random.take_news(news)
        self.forget_names(names)
        for index, content in changes:
            self.changed_operands = True
            make_change(objects, index, content)
            if self.tell_change is not None:
                self.tell_change(objects[index])
        if verdict == RETURNED:
            return payload
        if verdict == RAISED:
            raise self.remake(payload)
        if verdict == REFUSED and type(payload) is str:
            raise CannotReturn(payload[:MAX_SENTENCE])
        raise WireError("malformed message (a verdict)")

    def answer_next(self, deadline: float | None = None) -> None:
        """Wait for a question, perform what it asks, and send the answer.

        Raises
        ------
        WireError
            If what comes asks nothing that can be asked.
        """
        decoder = Decoder(self.resolve, named_tuples=self._named_tuples)
        skeleton, bulk = self.channel.receive(deadline)
        if decoder.read(skeleton, bulk, functools.partial(self._read_message, decoder)) is not None:
            raise WireError("an answer to something that was not asked")
        self._answer(decoder, deadline)

    def _answer(self, decoder: Decoder, deadline: float | None) -> None:
        """Answer the question that was read last."""
        serial, operation, seconds, released, news, names, operands, kwargs = decoder.question
        if self._nesting > MAX_NESTING:
            raise WireError("questions that are nested too deeply")
        self.release(released)
        self.random.take_news(news)
        self.forget_names(names)
        # Before anything runs: what is changed is found by comparing.
        given = Given(decoder.changeable)
        self._nesting += 1
        try:
            verdict = RETURNED
            result = self.perform(operation, operands, kwargs, seconds)
        except KernelError:
            # The conversation itself has broken: there is nobody to answer.
            raise
        except self.answers_with as error:
            verdict = RAISED
            result = self.describe(error)
        finally:
            self._nesting -= 1
        self._reply(verdict, serial, result, decoder.objects, given, deadline)

    def _reply(
        self,
        verdict: int,
        serial: int,
        result: Any,
        objects: list[object],
        given: Given,
        deadline: float | None,
    ) -> None:
        # Taken once: a refusal below needs them again.
        outputs = self.outputs()
        head = [serial, self.random.tell_news(), self.find_rebound_names()]
        encoder = self._encoder(objects)
        try:
            answer = [verdict, *head, encoder.lower(outputs), encoder.lower(result)]
            encoded = encoder.pack(answer + given.lower_changes(encoder))
        except CannotCross as error:
            # A fresh one: the first has numbered what is not sent.
            encoder = self._encoder(objects)
            encoded = encoder.pack([REFUSED, *head, encoder.lower(outputs), str(error)])
        self.channel.send(*encoded, deadline)
