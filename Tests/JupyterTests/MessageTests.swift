import CommandLanguage
import Fingerprints
import Foundation
import Jupyter
import Testing

struct `A message of Jupyter` {
  /// Test cases 1 and 2 of RFC 4231.
  @Test(arguments: [
    (
      [UInt8](repeating: 0x0B, count: 20), "Hi There",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      Array("Jefe".utf8), "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
  ])
  func `is signed by RFC 2104`(key: [UInt8], text: String, code: String) {
    let (head, tail) = (Array(text.utf8.prefix(3)), Array(text.utf8.dropFirst(3)))
    #expect(HMACSHA256(key: key).code(of: [head, tail]) == Array(code.utf8))
  }

  private let signer = MessageSigner(key: Array("key".utf8))

  private func message(_ content: JSONValue) -> [[UInt8]] {
    WireMessage.frames(
      header: ["msg_id": "1", "msg_type": "execute_request"], parent: Array("{}".utf8),
      content: content, to: [[1, 2]], signer)
  }

  @Test func `is read as it was sent, once`() throws {
    var seen = SeenSignatures()
    let frames = message(["code": "let a = \"ü\""])
    let read = try WireMessage(frames, signer, &seen)
    #expect(read.identities == [[1, 2]] && read.type == "execute_request")
    #expect(read.content == ["code": "let a = \"ü\""])
    #expect(throws: WireMessage.Fault.repeated) { try WireMessage(frames, signer, &seen) }
    #expect(throws: WireMessage.Fault.wrongSignature) {
      try WireMessage(frames, MessageSigner(key: [1]), &seen)
    }
    #expect(throws: WireMessage.Fault.tooShort) {
      try WireMessage(Array(frames.dropLast()), signer, &seen)
    }
    var unsigned = frames
    unsigned[2] = []
    #expect(throws: WireMessage.Fault.notSigned) { try WireMessage(unsigned, signer, &seen) }
    #expect(try WireMessage(unsigned, MessageSigner(key: []), &seen).type == "execute_request")
  }

  @Test(arguments: [
    "{", "[]", "{\"transport\":\"tcp\"}",
    "{\"transport\":\"smoke\",\"ip\":\"\",\"key\":\"\",\"signature_scheme\":\"\"}",
    "{\"transport\":\"tcp\",\"ip\":\"a\",\"key\":\"k\",\"signature_scheme\":\"hmac-md5\"}",
    "{\"transport\":\"tcp\",\"ip\":\"a\",\"key\":\"\",\"signature_scheme\":\"\",\"shell_port\":0}",
  ])
  func `goes nowhere without a whole connection file`(text: String) {
    #expect(throws: KernelError.self) { try ConnectionFile(Data(text.utf8), name: "file") }
  }
}
