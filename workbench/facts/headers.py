"""The names of columns in languages other than English, by the part of a fact that they hold.

Names that say which answer they mean come first: where a table has both ``neue Antwort`` and
``Antwort``, the second is the old one. Knows nothing about files.
"""

__all__ = ["TRANSLATED"]

TRANSLATED: dict[str, tuple[str, ...]] = {
    "prompt": (
        "Frage", "Eingabe", "Aufforderung", "Satzanfang",  # German
        "invite", "énoncé", "requête", "entrée",  # French; its question is the English one
        "pregunta", "enunciado", "consulta", "entrada", "indicación",  # Spanish
        "提示", "提示词", "问题", "提問", "問題", "题目", "題目", "输入", "輸入",  # Chinese
        "プロンプト", "質問", "問い", "設問", "入力",  # Japanese
        "вопрос", "запрос", "подсказка", "промпт", "ввод",  # Russian
    ),
    "target_new": (
        "neue Antwort", "neues Ziel", "nouvelle réponse", "nouvelle cible", "nueva respuesta",
        "respuesta nueva", "nuevo objetivo", "新答案", "新的答案", "新回答", "新しい答え",
        "新しい回答", "新目标", "新目標", "новый ответ", "новая цель",
        "Ziel", "Antwort", "Ausgabe",
        "cible", "réponse", "sortie",
        "objetivo", "respuesta", "salida",
        "目标", "目標", "答案", "回答", "输出", "輸出",
        "ターゲット", "答え", "解答", "出力",
        "цель", "ответ", "вывод",
    ),
    "subject": (
        "Subjekt", "Thema", "Gegenstand", "Entität",
        "sujet", "entité", "thème",
        "sujeto", "entidad", "tema",
        "主语", "主語", "主体", "主體", "主题", "主題", "实体", "實體",
        "対象", "エンティティ", "件名",
        "субъект", "тема", "предмет", "сущность",
    ),
    "ground_truth": (
        "alte Antwort", "bisherige Antwort", "wahre Antwort", "richtige Antwort",
        "ancienne réponse", "vraie réponse", "bonne réponse", "réponse correcte",
        "respuesta antigua", "respuesta anterior", "antigua respuesta", "respuesta correcta",
        "旧答案", "舊答案", "原答案", "正确答案", "正確答案", "真实答案",
        "古い答え", "元の答え", "以前の答え", "正解",
        "старый ответ", "прежний ответ", "верный ответ", "правильный ответ",
        "Antwort", "réponse", "respuesta", "答案", "回答", "答え", "ответ",
    ),
    "aliases": (
        "Aliasse", "andere Schreibweisen", "alias", "autres réponses", "otras respuestas",
        "别名", "別名", "别称", "псевдонимы", "синонимы", "другие ответы",
    ),
    "rephrase_prompts": (
        "Umformulierung", "Umformulierungen", "umformulierte Frage", "Paraphrase", "Paraphrasen",
        "reformulation", "reformulations", "question reformulée",
        "reformulación", "reformulaciones", "pregunta reformulada", "paráfrasis",
        "改写", "改寫", "复述", "改写问题", "換句話說", "换种问法",
        "言い換え", "言い換えた質問", "パラフレーズ",
        "перефразировка", "перефразировки", "перефразированный вопрос", "парафраз",
    ),
    "locality_prompts": (
        "Lokalität", "Lokalitätsfrage", "unverändert", "localité", "question de localité",
        "localidad", "pregunta de localidad", "局部性", "局部性问题", "局所性", "局所性の質問",
        "локальность", "вопрос на локальность",
    ),
    "locality_answers": (
        "Lokalitätsantwort", "Antwort der Lokalität", "réponse de localité",
        "respuesta de localidad", "局部性答案", "局所性の答え", "ответ на локальность",
    ),
    "portability_prompts": (
        "Portabilität", "Folgefrage", "portabilité", "portabilidad", "可移植性", "移植性",
        "переносимость",
    ),
    "portability_answers": (
        "Portabilitätsantwort", "Folgeantwort", "réponse de portabilité",
        "respuesta de portabilidad", "可移植性答案", "移植性の答え", "ответ на переносимость",
    ),
    "wordings": (
        "Formulierung", "Formulierungen", "Trainingsfrage", "Trainingsfragen",
        "formulation", "formulations", "question d'entraînement",
        "formulación", "formulaciones", "pregunta de entrenamiento",
        "训练问法", "訓練問法", "训练提示", "訓練提示", "訓練用の質問", "学習用の質問",
        "формулировка", "формулировки", "обучающий вопрос",
    ),
    "keep_prompts": (
        "beizubehaltende Frage", "beizubehaltende Fragen", "question à conserver",
        "questions à conserver", "pregunta a conservar", "preguntas a conservar",
        "保留问题", "保留問題", "維持する質問", "сохраняемый вопрос", "сохраняемые вопросы",
    ),
    "keep_answers": (
        "beizubehaltende Antwort", "beizubehaltende Antworten", "réponse à conserver",
        "réponses à conserver", "respuesta a conservar", "respuestas a conservar",
        "保留答案", "維持する答え", "сохраняемый ответ", "сохраняемые ответы",
    ),
}  # fmt: skip
"""What the parts of a fact are called in German, French, Spanish, Chinese, Japanese, Russian."""
